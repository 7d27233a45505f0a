/** A list of a settings section: loading, failed, empty, or there. */
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Page } from '../../api/types';
import { ErrorState } from '../../components/ErrorState';
import { Skeleton } from '../../ui/Notice';

type Props<T> = {
  query: UseQueryResult<Page<T>>;
  empty: string;
  children: (items: T[]) => ReactNode;
};

export function Listed<T>({ query, empty, children }: Props<T>) {
  if (query.isPending) return <Skeleton rows={3} className="p-4" />;
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  if (query.data.items.length === 0) return <p className="px-4 pb-4 text-muted text-sm">{empty}</p>;
  return children(query.data.items);
}
