/** What has arrived, as far back as it was asked for, and narrowed to what went wrong. */
import { type InfiniteData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { q } from '../../api/endpoints';
import type { Delivery, Page } from '../../api/types';
import { useMe } from '../../components/me';

export const OUTCOMES = ['all', 'refused', 'quarantined'] as const;
export type OutcomeChoice = (typeof OUTCOMES)[number];

export function useDeliveries(every_ms: number, integration?: string) {
  const { project } = useMe();
  const client = useQueryClient();
  const options = q.deliveries(project.id, integration);
  const query = useInfiniteQuery({
    ...options,
    // Older ones are read in peace: they stand still, and no look costs a request for each of their pages.
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : every_ms),
  });
  const [choice, setChoice] = useState<OutcomeChoice>('all');
  const loaded = query.data?.pages.flatMap((page) => page.items);
  const newest = () => {
    client.setQueryData<InfiniteData<Page<Delivery>>>(options.queryKey, (old) => old && firstPage(old));
    void client.invalidateQueries({ queryKey: options.queryKey, exact: true });
  };
  return {
    query,
    loaded,
    shown: loaded?.filter((one) => isOf(one, choice)),
    choice,
    setChoice,
    stands: (query.data?.pages.length ?? 0) > 1,
    newest,
  };
}

export type Deliveries = ReturnType<typeof useDeliveries>;

/** Whether a delivery is among those chosen. */
export function isOf(delivery: Delivery, choice: OutcomeChoice): boolean {
  if (choice === 'refused') return delivery.status === 'rejected';
  if (choice === 'quarantined') return (delivery.outcomes.quarantined ?? 0) > 0;
  return true;
}

function firstPage<P>({ pages, pageParams }: InfiniteData<P>): InfiniteData<P> {
  return { pages: pages.slice(0, 1), pageParams: pageParams.slice(0, 1) };
}
