/** A list of a settings section: loading, failed, empty, or there. */
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Page } from '../../api/types';
import { ErrorState } from '../../components/ErrorState';
import { NotOfNow } from '../../components/Kept';
import { Skeleton } from '../../ui/Notice';

type Props<T> = {
  query: UseQueryResult<Page<T>>;
  empty: string;
  children: (items: T[]) => ReactNode;
};

export function Listed<T>({ query, empty, children }: Props<T>) {
  const { data, error } = query;
  if (!data && error) return <ErrorState error={error} onRetry={() => void query.refetch()} />;
  if (!data) return <Skeleton rows={3} className="p-4" />;
  return (
    <>
      <NotOfNow error={error} readAt={query.dataUpdatedAt} className="px-4 pb-2 text-[13px] text-muted" />
      {data.items.length === 0 ? (
        <p className="px-4 pb-4 text-muted text-sm">{empty}</p>
      ) : (
        children(data.items)
      )}
    </>
  );
}
