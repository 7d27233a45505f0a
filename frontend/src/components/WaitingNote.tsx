/** Says that what the reader did is kept back because of too many requests, and for how long, over whatever is open. */
import { Hourglass } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import { watchWaiting, writesWaitUntil } from '../api/limit';
import { useNow } from './clock';

/** For how many more seconds what was done waits to be sent; null while nothing waits. */
export function useWriteWait(): number | null {
  useNow();
  const until = useSyncExternalStore(watchWaiting, writesWaitUntil);
  return until === null ? null : Math.max(1, Math.ceil((until - Date.now()) / 1000));
}

export function WaitingNote() {
  const left = useWriteWait();
  if (left === null) return null;
  return (
    <p
      role="status"
      className="fixed top-2 left-1/2 z-[70] flex w-max max-w-[calc(100vw-1rem)] -translate-x-1/2 items-center gap-2 rounded-md border border-hairline bg-raised px-3 py-1.5 text-sm tabular-nums shadow-float"
    >
      <Hourglass className="size-4 shrink-0 text-muted" aria-hidden="true" />
      Too many requests: waiting {left} s to send it
    </p>
  );
}
