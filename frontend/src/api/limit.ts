/** The server's limit on requests: until when it asked to be left alone, and the writes that wait for that. */

/** What is waited when a refusal does not say how long. */
const UNTOLD_MS = 5000;
/** Longer than this no write waits: its reason may be gone by then. */
export const LONGEST_WAIT_MS = 120_000;
/** So often a write is sent in all. */
const MOST_TRIES = 8;

const watchers = new Set<() => void>();
let freeAt = 0;
let waiting = 0;

/** Until when the server asked for no more requests, in milliseconds since the epoch; in the past when it did not. */
export function limitedUntil(): number {
  return freeAt;
}

/** When the writes that wait are sent, or null while none does; for `useSyncExternalStore`. */
export function writesWaitUntil(): number | null {
  return waiting > 0 ? freeAt : null;
}

export function watchWaiting(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Remembers that an answer was a refusal for too many requests. */
export function noteLimit(response: Response): Response {
  if (response.status === 429) freeAt = Math.max(freeAt, Date.now() + (retryAfter(response) ?? UNTOLD_MS));
  return response;
}

/** How long a refusal asks to wait, in milliseconds: it says seconds or a date. */
export function retryAfter(response: Response): number | null {
  const told = response.headers.get('retry-after');
  if (!told) return null;
  const wait = /^\s*\d+(\.\d+)?\s*$/.test(told) ? Number(told) * 1000 : Date.parse(told) - Date.now();
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

/** Waits until the server may be written to again; says no when that is too far away or was tried too often. */
export async function waitToWrite(tries: number, stopped?: AbortSignal): Promise<boolean> {
  if (tries >= MOST_TRIES) return false;
  // Whoever is refused again and again leaves more and more room.
  freeAt = Math.max(freeAt, Date.now() + 500 * 2 ** (tries - 1));
  if (freeAt - Date.now() > LONGEST_WAIT_MS) return false;
  tell(1);
  try {
    await untilFree(stopped);
  } finally {
    tell(-1);
  }
  return true;
}

function untilFree(stopped: AbortSignal | undefined): Promise<void> {
  return new Promise((done, fail) => {
    const timer = setTimeout(done, freeAt - Date.now());
    const stop = () => {
      clearTimeout(timer);
      fail(stopped?.reason);
    };
    if (stopped?.aborted) stop();
    stopped?.addEventListener('abort', stop, { once: true });
  });
}

function tell(more: 1 | -1): void {
  waiting += more;
  for (const watcher of watchers) watcher();
}
