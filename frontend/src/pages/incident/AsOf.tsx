/**
 * The note that a card of an incident could not be read again; it goes on asking. That nobody answers is said once, at
 * the top; a card then says only of when it is.
 */
import type { UseQueryResult } from '@tanstack/react-query';
import { ApiError } from '../../api/errors';
import { NotOfNow } from '../../components/Kept';
import { useRetry } from '../../components/retry';
import { TimeAgo } from '../../components/Time';

const LOOK = 'mb-2 text-[13px] text-muted';

type Read = Pick<UseQueryResult, 'data' | 'error' | 'dataUpdatedAt' | 'refetch'>;

type Props = {
  query: Read;
  /** For the incident itself, whose note is the one that says why when nobody answers at all. */
  whole?: boolean;
};

export function AsOf({ query: { data, error, dataUpdatedAt, refetch }, whole = false }: Props) {
  const again = () => void refetch();
  const brief = !whole && error instanceof ApiError && error.status === 0;
  useRetry(brief, error, again);
  if (data === undefined) return null;
  if (brief)
    return (
      <p role="status" className={LOOK}>
        This was read <TimeAgo at={new Date(dataUpdatedAt).toISOString()} suffix=" ago." />
      </p>
    );
  return <NotOfNow error={error} readAt={dataUpdatedAt} again={again} className={LOOK} />;
}
