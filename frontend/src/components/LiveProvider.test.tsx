import { QueryClientProvider } from '@tanstack/react-query';
import { act, render, screen } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import { unreachable } from '../api/errors';
import { LONGEST_RETRY_MS, STALE_MS } from '../api/live';
import { newQueryClient } from '../api/queryClient';
import { ErrorState } from './ErrorState';
import { LiveBadge } from './LiveBadge';
import { LiveProvider } from './LiveProvider';
import { setPrefs } from './prefs';

const sockets: FakeSocket[] = [];
class FakeSocket {
  onmessage: ((message: { data: string }) => void) | null = null;
  onopen: (() => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  constructor() {
    sockets.push(this);
  }
  close() {}
  send() {}
}

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('looks again at what failed as soon as the connection is back', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeSocket);
  const client = newQueryClient(0);
  const read = vi.fn(() => Promise.reject(unreachable()));
  await client.fetchQuery({ queryKey: ['summary'], queryFn: read }).catch(() => {});
  const retry = vi.fn();
  render(
    <QueryClientProvider client={client}>
      <LiveProvider project="p" onEvents={() => {}}>
        <ErrorState error={unreachable()} onRetry={retry} />
      </LiveProvider>
    </QueryClientProvider>,
  );
  const greet = () => sockets.at(-1)?.onmessage?.({ data: '{"type":"hello","epoch":"e","seq":1}' });
  act(greet);
  act(() => sockets.at(-1)?.onclose?.({ code: 1006 }));
  await act(() => vi.advanceTimersByTimeAsync(LONGEST_RETRY_MS / 50));
  const [before, asked] = [read.mock.calls.length, retry.mock.calls.length];
  act(greet);
  expect(retry.mock.calls.length).toBe(asked + 1);
  expect(read.mock.calls.length).toBe(before + 1);
  expect(screen.getByRole('alert')).toBeTruthy();
});

it('says at once that the network is gone, and comes back at once with it', () => {
  vi.stubGlobal('WebSocket', FakeSocket);
  showBadge();
  expect(screen.getByRole('status').textContent).toBe('Live');
  const before = sockets.length;
  act(() => void window.dispatchEvent(new Event('offline')));
  expect(screen.getByRole('status').textContent).toMatch(/^Reconnecting/);
  act(() => void window.dispatchEvent(new Event('online')));
  expect(sockets.length).toBe(before + 1);
});

it('counts down to the next try, and not to nothing while it lasts', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeSocket);
  showBadge();
  act(() => sockets.at(-1)?.onclose?.({ code: 1006 }));
  expect(screen.getByRole('status').textContent).toBe('Reconnecting 1 s');
  await act(() => vi.advanceTimersByTimeAsync(3000));
  expect(screen.getByRole('status').textContent).toBe('Reconnecting…');
});

it('says in few words on a phone since when the screen is stale', async () => {
  vi.useFakeTimers({ now: new Date('2026-11-27T08:28:09Z') });
  vi.stubGlobal('WebSocket', FakeSocket);
  setPrefs({ zone: 'utc' });
  showBadge();
  act(() => void window.dispatchEvent(new Event('offline')));
  await act(() => vi.advanceTimersByTimeAsync(2 * STALE_MS));
  expect(screen.getByText('08:28').className).toBe('md:hidden');
  expect(screen.getByText('since 08:28:09 UTC').className).toBe('max-md:hidden');
});

it('says where the page is live when it was opened under another name', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeSocket);
  showBadge('http://127.0.0.1:8500');
  act(() => sockets.at(-1)?.onclose?.({ code: 1006 }));
  expect(screen.queryByRole('link')).toBeNull();
  await act(() => vi.advanceTimersByTimeAsync(2 * STALE_MS));
  const link = screen.getByRole('link', { name: '127.0.0.1:8500' });
  expect(link.getAttribute('href')).toBe(`http://127.0.0.1:8500${location.pathname}`);
});

function showBadge(home = location.origin) {
  render(
    <QueryClientProvider client={newQueryClient(0)}>
      <LiveProvider project="p" onEvents={() => {}}>
        <LiveBadge home={home} />
      </LiveProvider>
    </QueryClientProvider>,
  );
  act(() => sockets.at(-1)?.onmessage?.({ data: '{"type":"hello","epoch":"e","seq":1}' }));
}
