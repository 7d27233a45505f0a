/** One ticker for the whole page, so that every age changes at the same moment. */
import { useSyncExternalStore } from 'react';

const STEP_MS = 1000;
const watchers = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
/** How far the server's clock is ahead of this browser's, in milliseconds. */
let ahead = 0;

/** The server's time, to the second; with `everyMs` it changes only that often. */
export function useNow(everyMs = STEP_MS): number {
  return useSyncExternalStore(watch, () => Math.floor((now + ahead) / everyMs) * everyMs);
}

/** Learns the server's clock, so that ages are right on a computer whose clock is not. */
export function syncClock(serverTime: string): void {
  const difference = Date.parse(serverTime) - Date.now();
  ahead = Math.abs(difference) > 2000 ? difference : 0;
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const one of watchers) one();
  }, STEP_MS);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
