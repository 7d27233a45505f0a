/**
 * Reads again what events made old, so that a storm of them does not use up the reader's requests: in bands, the head
 * of a long list much more often than all of it, and nothing at all while nobody looks at this tab.
 */
import type { InfiniteData, Query, QueryClient } from '@tanstack/react-query';
import { Band } from './band';
import { type IncidentQuery, incidentHead } from './endpoints';
import { ApiError } from './errors';
import { limitedUntil } from './limit';
import { isOfOneIncident, markOld } from './refreshes';
import type { Incident, LiveEvent, Page } from './types';

/** All of a list of several pages is read again after this long for each of them. */
export const WHOLE_MS_A_PAGE = 3000;

type Pages = InfiniteData<Page<Incident>, string | undefined>;

export class Refresher {
  private readonly client: QueryClient;
  private readonly isSeen: () => boolean;
  private readonly lists: Band;
  private readonly incident: Band;
  /** When all of a long list is to be read again, by the hash of its key. */
  private readonly wholeAt = new Map<string, number>();
  private readonly timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(client: QueryClient, isSeen: () => boolean) {
    this.client = client;
    this.isSeen = isSeen;
    const notBefore = () => (isSeen() ? limitedUntil() : Number.POSITIVE_INFINITY);
    this.lists = new Band({ run: () => void this.read(false), notBefore });
    this.incident = new Band({ run: () => void this.read(true), notBefore });
  }

  /** Learns what happened. */
  take(events: readonly LiveEvent[]): void {
    markOld(this.client, events);
    this.ask();
  }

  /** Everything may be old. */
  resync(): void {
    void this.client.invalidateQueries({ refetchType: 'none' });
    this.ask();
  }

  /** The tab has come into view. */
  wake(): void {
    this.lists.wake();
    this.incident.wake();
  }

  stop(): void {
    this.lists.stop();
    this.incident.stop();
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.wholeAt.clear();
  }

  private ask(): void {
    if (this.old(false).length > 0) this.lists.ask();
    if (this.old(true).length > 0) this.incident.ask();
  }

  /** What is on the screen and old, of one incident or not. */
  private old(ofOneIncident: boolean): Query[] {
    return this.client.getQueryCache().findAll({
      type: 'active',
      predicate: (query) =>
        query.state.isInvalidated && isOfOneIncident(query) === ofOneIncident && !isFinal(query.state.error),
    });
  }

  private async read(ofOneIncident: boolean): Promise<void> {
    await Promise.all(this.old(ofOneIncident).map((query) => this.readOne(query)));
    if (this.isSeen() && limitedUntil() > Date.now()) this.ask();
  }

  private async readOne(query: Query): Promise<void> {
    const pages = pagesOf(query);
    const due = this.wholeAt.get(query.queryHash);
    if (pages > 1 && !(due && due <= Date.now())) return this.readHead(query, pages);
    this.wholeAt.delete(query.queryHash);
    await this.client.refetchQueries({ queryKey: query.queryKey, exact: true });
  }

  /** What is new is at the head; that other rows moved or left is learnt when all is read. */
  private async readHead(query: Query, pages: number): Promise<void> {
    const { queryKey, queryHash } = query;
    if (!this.wholeAt.has(queryHash)) {
      this.wholeAt.set(queryHash, Date.now() + pages * WHOLE_MS_A_PAGE);
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        void this.client.invalidateQueries({ queryKey, exact: true, refetchType: 'none' });
        this.lists.ask();
      }, pages * WHOLE_MS_A_PAGE);
      this.timers.add(timer);
    }
    if (queryKey[0] !== 'incidents') return;
    const head = await incidentHead(queryKey[1] as IncidentQuery).catch(() => null);
    if (head) this.client.setQueryData<Pages>(queryKey, (old) => old && withHead(old, head));
  }
}

/**
 * A list whose head is read anew. The rows after the last one that both have are kept as they were; where they have
 * none in common, what lies between is not known and the rest is let go until it is scrolled to.
 */
export function withHead(old: Pages, head: Page<Incident>): Pages {
  const rows = old.pages.flatMap((page) => page.items);
  const places = new Map(rows.map((one, place) => [one.id, place]));
  const last = head.items.findLast((one) => places.has(one.id));
  if (!last || head.next_cursor === null) return { pages: [head], pageParams: [undefined] };
  const anew = new Set(head.items.map((one) => one.id));
  const tail = new Set(rows.slice((places.get(last.id) ?? 0) + 1).filter((one) => !anew.has(one.id)));
  const [first, ...others] = old.pages.map((page) => ({
    ...page,
    items: page.items.filter((one) => tail.has(one)),
  }));
  const rest = others.map((page, index) =>
    index === 0 ? { ...page, items: [...(first?.items ?? []), ...page.items] } : page,
  );
  return { pages: [head, ...rest], pageParams: old.pageParams };
}

function pagesOf(query: Query): number {
  const data: unknown = query.state.data;
  if (typeof data !== 'object' || data === null || !('pages' in data)) return 0;
  return Array.isArray(data.pages) ? data.pages.length : 0;
}

/** A refusal that no event changes. */
function isFinal(error: unknown): boolean {
  return error instanceof ApiError && !error.mayPass && error.status < 500;
}
