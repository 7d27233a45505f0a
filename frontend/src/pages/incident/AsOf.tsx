/** The note that a card of an incident could not be read again; it goes on asking. */
import type { UseQueryResult } from '@tanstack/react-query';
import { NotOfNow } from '../../components/Kept';

type Read = Pick<UseQueryResult, 'data' | 'error' | 'dataUpdatedAt' | 'refetch'>;

export function AsOf({ query: { data, error, dataUpdatedAt, refetch } }: { query: Read }) {
  if (data === undefined) return null;
  const again = () => void refetch();
  return (
    <NotOfNow error={error} readAt={dataUpdatedAt} again={again} className="mb-2 text-[13px] text-muted" />
  );
}
