import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { HttpResponse, http } from 'msw';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { server } from '../../mock/testing';
import { Refresher, withHead } from './refresher';
import type { Incident, LiveEvent, Page } from './types';

const event: LiveEvent = {
  type: 'incident.updated',
  seq: 1,
  tenant_id: 't',
  project_id: 'p',
  timestamp: '',
  data: { id: 'a' },
};
const LIST = ['incidents', { sort: 'needs_me' }];
let client: QueryClient;
let refresher: Refresher;
let seen: boolean;

/** Keeps a read on the screen and counts how often it is made. */
function onScreen(queryKey: readonly unknown[], data: unknown = {}) {
  client.setQueryData(queryKey, data);
  const queryFn = vi.fn(() => Promise.resolve(data));
  new QueryObserver(client, { queryKey, queryFn, staleTime: Number.POSITIVE_INFINITY }).subscribe(() => {});
  return queryFn;
}

/** An event every quarter of a second. */
async function storm(seconds: number): Promise<void> {
  for (let n = 0; n < seconds * 4; n += 1) {
    refresher.take([event]);
    await vi.advanceTimersByTimeAsync(250);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  seen = true;
  client = new QueryClient();
  refresher = new Refresher(client, () => seen);
});
afterEach(() => {
  refresher.stop();
  client.clear();
  vi.useRealTimers();
});

it('reads a first change at once and a storm in bands', async () => {
  const summary = onScreen(['summary']);
  refresher.take([event]);
  expect(summary).toHaveBeenCalledTimes(1);
  await storm(60);
  expect(summary.mock.calls.length).toBeLessThanOrEqual(16);
  const before = summary.mock.calls.length;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(summary.mock.calls.length - before).toBeLessThanOrEqual(1);
  refresher.take([event]);
  expect(summary.mock.calls.length - before).toBeLessThanOrEqual(2);
});

it('does not let a storm elsewhere delay the incident on the screen', async () => {
  const [summary, mine] = [onScreen(['summary']), onScreen(['steps', 'b'])];
  await storm(30);
  expect(summary).toHaveBeenCalled();
  expect(mine).not.toHaveBeenCalled();
  refresher.take([{ ...event, data: { id: 'b' } }]);
  expect(mine).toHaveBeenCalledTimes(1);
});

it('reads nothing in a tab that nobody looks at, and all of it once somebody does', async () => {
  const summary = onScreen(['summary']);
  seen = false;
  await storm(30);
  refresher.resync();
  expect(summary).not.toHaveBeenCalled();
  seen = true;
  refresher.wake();
  expect(summary).toHaveBeenCalledTimes(1);
});

const row = (id: string) => ({ id }) as Incident;
const page = (ids: string, next: string | null = 'more'): Page<Incident> => ({
  items: [...ids].map(row),
  next_cursor: next,
});
const idsOf = ({ pages }: { pages: Page<Incident>[] }) =>
  pages.map((one) => one.items.map(({ id }) => id).join(''));
const three = {
  pages: [page('abc'), page('def'), page('ghi')],
  pageParams: [undefined, 'c', 'f'],
};

it('reads only the head of a long list while the storm lasts, and all of it now and then', async () => {
  const heads = vi.fn(() => HttpResponse.json(page('xabcd')));
  server.use(http.get('*/api/v1/incidents', heads));
  const whole = onScreen(LIST, three);
  refresher.take([event]);
  await vi.waitFor(() => expect(idsOf(client.getQueryData(LIST) ?? { pages: [] })[0]).toBe('xabcd'));
  expect(whole).not.toHaveBeenCalled();
  await storm(60);
  expect(heads.mock.calls.length + 3 * whole.mock.calls.length).toBeLessThan(40);
  expect(whole).toHaveBeenCalled();
});

it('puts a new head on a list without losing or doubling a row', () => {
  expect(idsOf(withHead(three, page('xabcd')))).toEqual(['xabcd', 'ef', 'ghi']);
  expect(idsOf(withHead(three, page('xyzab')))).toEqual(['xyzab', 'cdef', 'ghi']);
  expect(idsOf(withHead(three, page('bhcde')))).toEqual(['bhcde', 'f', 'gi']);
  expect(idsOf(withHead(three, page('vwxyz')))).toEqual(['vwxyz']);
  expect(idsOf(withHead(three, page('ab', null)))).toEqual(['ab']);
});

it('waits as long as the server asked before it reads again', async () => {
  const { noteLimit } = await import('./limit');
  const summary = onScreen(['summary']);
  noteLimit(new Response(null, { status: 429, headers: { 'retry-after': '12' } }));
  refresher.take([event]);
  await vi.advanceTimersByTimeAsync(11_900);
  expect(summary).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(200);
  expect(summary).toHaveBeenCalledTimes(1);
});
