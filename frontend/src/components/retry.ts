/** Trying again without being asked: less and less often, and at once when there is a sign of life. */
import { useEffect, useRef, useState } from 'react';
import { ApiError } from '../api/errors';
import { useLiveStatus } from './LiveProvider';

const FIRST_MS = 2000;
const LONGEST_MS = 30_000;

/** Failures further apart than this are not of one outage. */
const FORGET_MS = 2 * LONGEST_MS;

/** What was tried in vain so far; instants are milliseconds since the epoch. */
export type Outage = { failures: number; failedAt: number };

/**
 * Calls `retry` after each new `error` while `on`; says when it will, in milliseconds since the epoch.
 * Who is made anew by every try hands in the `outage` that outlives it.
 */
export function useRetry(on: boolean, error: unknown, retry: () => void, outage?: Outage): number {
  const latest = useRef(retry);
  latest.current = retry;
  const own = useRef<Outage>({ failures: 0, failedAt: 0 });
  const [at, setAt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: every new error is a new failure
  useEffect(() => {
    if (!on) return;
    const wait = Math.max(waitAfter(outage ?? own.current), askedToWait(error));
    setAt(Date.now() + wait);
    const timer = setTimeout(() => latest.current(), wait);
    return () => clearTimeout(timer);
  }, [on, error]);
  const live = useLiveStatus().kind;
  const before = useRef(live);
  useEffect(() => {
    const back = live === 'live' && before.current !== 'live';
    before.current = live;
    if (on && back && askedToWait(error) === 0) latest.current();
  }, [on, live, error]);
  useEffect(() => {
    if (!on) return;
    const now = () => latest.current();
    window.addEventListener('online', now);
    return () => window.removeEventListener('online', now);
  }, [on]);
  return at;
}

function waitAfter(outage: Outage): number {
  const now = Date.now();
  if (now - outage.failedAt > FORGET_MS) outage.failures = 0;
  const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** outage.failures);
  outage.failures += 1;
  outage.failedAt = now;
  return wait;
}

/** How long the server asked to be left alone; such a wait is never cut short. */
function askedToWait(error: unknown): number {
  return error instanceof ApiError ? (error.retryAfter_ms ?? 0) : 0;
}
