/** A quiet word that what stands here could not be read again, and of when it is; it goes on asking. */
import type { UseQueryResult } from '@tanstack/react-query';
import { ApiError, sentenceOf } from '../../api/errors';
import { useRetry } from '../../components/retry';
import { Instant } from '../../components/Time';

type Read = Pick<UseQueryResult, 'isError' | 'data' | 'error' | 'dataUpdatedAt' | 'refetch'>;

export function AsOf({ query }: { query: Read }) {
  return query.isError && query.data !== undefined ? <Note query={query} /> : null;
}

function Note({ query: { error, dataUpdatedAt, refetch } }: { query: Read }) {
  useRetry(error instanceof ApiError && error.mayPass, error, () => void refetch());
  return (
    <p role="status" className="mb-2 text-[13px] text-muted">
      As of <Instant at={new Date(dataUpdatedAt).toISOString()} />. {sentenceOf(error)}{' '}
      <button type="button" className="rounded text-link hover:underline" onClick={() => void refetch()}>
        Try again
      </button>
    </p>
  );
}
