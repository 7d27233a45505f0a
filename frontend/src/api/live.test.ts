import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GATHER_MS, Live, PING_MS, PONG_MS, retryDelay, SILENCE_MS } from './live';
import type { LiveEvent } from './types';

class FakeSocket {
  static all: FakeSocket[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: null = null;
  sent: string[] = [];
  closed = false;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  send(text: string) {
    this.sent.push(text);
  }
  close() {
    this.closed = true;
  }
  says(message: object) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  static last(): FakeSocket {
    const socket = FakeSocket.all.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  }
}

const event = (seq: number): LiveEvent => ({
  type: 'incident.updated',
  seq,
  tenant_id: 't',
  project_id: 'p',
  timestamp: '2026-01-24T12:00:00Z',
  data: { id: `i${seq}` },
});

function start() {
  const seen: number[][] = [];
  const onResync = vi.fn();
  const onRefused = vi.fn();
  const live = new Live({
    open: (url) => new FakeSocket(url) as unknown as WebSocket,
    url: (resume) => (resume ? `/ws?epoch=${resume.epoch}&seq=${resume.seq}` : '/ws'),
    now: () => Date.now(),
    random: () => 0.5,
    onEvents: (events) => seen.push(events.map((one) => one.seq)),
    onResync,
    onRefused,
  });
  live.start();
  return { live, seen, onResync, onRefused };
}

function connected() {
  const world = start();
  const socket = FakeSocket.last();
  socket.onopen?.();
  socket.says({ type: 'hello', epoch: 'e1', seq: 10 });
  return { ...world, socket };
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
});
afterEach(() => {
  vi.useRealTimers();
});

describe('while connected', () => {
  it('is live only after the greeting', () => {
    const { live } = start();
    expect(live.snapshot().kind).toBe('connecting');
    FakeSocket.last().says({ type: 'hello', epoch: 'e1', seq: 10 });
    expect(live.snapshot().kind).toBe('live');
  });

  it('gathers a burst into one call', () => {
    const { socket, seen } = connected();
    for (const seq of [11, 12, 13]) socket.says(event(seq));
    expect(seen).toEqual([]);
    vi.advanceTimersByTime(GATHER_MS);
    expect(seen).toEqual([[11, 12, 13]]);
  });

  it('ignores an event it has seen, and what it cannot read', () => {
    const { socket, seen } = connected();
    socket.says(event(11));
    socket.says(event(11));
    socket.says(event(9));
    socket.onmessage?.({ data: '{not json' });
    socket.onmessage?.({ data: '7' });
    socket.says({ type: 'error', error: 'unknown-type' });
    socket.says(event(11));
    vi.advanceTimersByTime(GATHER_MS);
    expect(seen).toEqual([[11]]);
  });

  it('pings, and treats silence after a ping as a lost connection', () => {
    const { live, socket } = connected();
    vi.advanceTimersByTime(PING_MS);
    expect(socket.sent).toEqual(['{"type":"ping"}']);
    socket.says({ type: 'pong' });
    vi.advanceTimersByTime(PONG_MS);
    expect(live.snapshot().kind).toBe('live');
    vi.advanceTimersByTime(PING_MS);
    expect(live.snapshot().kind).toBe('reconnecting');
    expect(socket.closed).toBe(true);
  });

  it('notices within fifteen seconds that the server hangs, and since when', () => {
    const { live, socket } = connected();
    vi.advanceTimersByTime(3000);
    socket.says(event(11));
    const heard = Date.now();
    vi.advanceTimersByTime(15_000);
    const status = live.snapshot();
    expect(status.kind === 'reconnecting' && status.lostAt).toBe(heard);
  });
});

describe('when the connection is lost', () => {
  it('resumes after the last event it saw', () => {
    const { live, socket, seen, onResync } = connected();
    socket.says(event(11));
    socket.onclose?.({ code: 1006 });
    expect(live.snapshot().kind).toBe('reconnecting');
    vi.advanceTimersByTime(500);
    const next = FakeSocket.last();
    expect(next.url).toBe('/ws?epoch=e1&seq=11');
    next.says({ type: 'hello', epoch: 'e1', seq: 13 });
    next.says(event(12));
    next.says(event(13));
    vi.advanceTimersByTime(GATHER_MS);
    expect(seen.flat()).toEqual([11, 12, 13]);
    expect(onResync).not.toHaveBeenCalled();
  });

  it('reads everything again when told to, and goes on from there', () => {
    const { socket, seen, onResync } = connected();
    socket.onclose?.({ code: 1006 });
    vi.advanceTimersByTime(500);
    const next = FakeSocket.last();
    next.says({ type: 'hello', epoch: 'e1', seq: 900 });
    next.says({ type: 'resync' });
    expect(onResync).toHaveBeenCalledTimes(1);
    next.says(event(901));
    vi.advanceTimersByTime(GATHER_MS);
    expect(seen.flat()).toEqual([901]);
  });

  it('takes a resync at its word, even back to where it has been', () => {
    const { socket, seen } = connected();
    socket.onclose?.({ code: 1006 });
    vi.advanceTimersByTime(500);
    const next = FakeSocket.last();
    next.says({ type: 'hello', epoch: 'e1', seq: 3 });
    next.says({ type: 'resync' });
    next.says(event(4));
    vi.advanceTimersByTime(GATHER_MS);
    expect(seen.flat()).toEqual([4]);
  });

  it('does not wait for ever for a server that never greets', () => {
    const { live } = start();
    vi.advanceTimersByTime(SILENCE_MS);
    expect(live.snapshot().kind).toBe('reconnecting');
    vi.advanceTimersByTime(500);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it('starts over when the server numbers anew', () => {
    const { socket, seen, onResync } = connected();
    socket.onclose?.({ code: 1006 });
    vi.advanceTimersByTime(500);
    const next = FakeSocket.last();
    next.says({ type: 'hello', epoch: 'e2', seq: 3 });
    expect(onResync).toHaveBeenCalledTimes(1);
    next.says(event(4));
    vi.advanceTimersByTime(GATHER_MS);
    expect(seen.flat()).toEqual([4]);
  });

  it('never gives up, and waits longer each time up to half a minute', () => {
    const { live } = connected();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 40; attempt += 1) {
      FakeSocket.last().onclose?.({ code: 1006 });
      const status = live.snapshot();
      if (status.kind !== 'reconnecting') throw new Error(status.kind);
      waits.push(status.retryAt - Date.now());
      vi.advanceTimersByTime(status.retryAt - Date.now());
    }
    expect(waits.slice(0, 4)).toEqual([375, 750, 1500, 3000]);
    expect(waits.at(-1)).toBe(22_500);
    expect(FakeSocket.all).toHaveLength(41);
  });

  it('remembers since when it is stale across failed attempts', () => {
    const { live } = connected();
    const lost = Date.now();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      FakeSocket.last().onclose?.({ code: 1006 });
      vi.advanceTimersByTime(30_000);
    }
    FakeSocket.last().onclose?.({ code: 1006 });
    const status = live.snapshot();
    expect(status.kind === 'reconnecting' && status.lostAt).toBe(lost);
  });

  it('does not wait for the socket to notice that the network is gone, and hurries when it is back', () => {
    const { live } = connected();
    for (let attempt = 0; attempt < 8; attempt += 1) {
      live.networkGone();
      expect(live.snapshot().kind).toBe('reconnecting');
      vi.advanceTimersByTime(30_000);
      FakeSocket.last().onclose?.({ code: 1006 });
    }
    live.retryNow();
    FakeSocket.last().onclose?.({ code: 1006 });
    const status = live.snapshot();
    expect(status.kind === 'reconnecting' && status.retryAt - Date.now()).toBe(375);
  });

  it('asks who is signed in when the session was refused', () => {
    const { socket, onRefused } = connected();
    socket.onclose?.({ code: 4401 });
    expect(onRefused).toHaveBeenCalledTimes(1);
  });

  it('stays away once stopped', () => {
    const { live, socket } = connected();
    live.stop();
    socket.onclose?.({ code: 1006 });
    vi.advanceTimersByTime(120_000);
    expect(FakeSocket.all).toHaveLength(1);
    expect(live.snapshot().kind).toBe('off');
  });
});

it('spreads clients out by up to half of the wait', () => {
  expect(retryDelay(0, 0)).toBe(250);
  expect(retryDelay(0, 1)).toBe(500);
  expect(retryDelay(99, 1)).toBe(30_000);
});
