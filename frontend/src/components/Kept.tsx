/** What was read before stays on the screen when reading it again fails, with a note of its age. */
import { useRef } from 'react';
import { ApiError, sentenceOf } from '../api/errors';
import { useRetry } from './retry';
import { TimeAgo } from './Time';

type Read<T> = {
  data: T | undefined;
  dataUpdatedAt: number;
  error: Error | null;
  isPlaceholderData: boolean;
};

/** What this view showed last, of which question, and when it was read. */
type Shown<T> = { data: T; at: number; about: string };

/**
 * The newest data of a query, kept also while its key moves with the clock. `about` is what the reader asked for: the
 * answer to another question is not kept once this one failed.
 */
export function useKept<T>(query: Read<T>, about = '') {
  const last = useRef<Shown<T> | null>(null);
  if (query.data !== undefined && !query.isPlaceholderData)
    last.current = { data: query.data, at: query.dataUpdatedAt, about };
  const kept = last.current?.about === about ? last.current : null;
  return { data: query.data ?? kept?.data, error: query.error, readAt: kept?.at ?? query.dataUpdatedAt };
}

/** Why what is shown is not of now, and a way to ask `again`, which also happens by itself; nothing while it is. */
export function NotOfNow({
  error,
  readAt,
  again,
  className,
}: {
  error: Error | null;
  readAt: number;
  again?: () => void;
  className?: string;
}) {
  if (!error || readAt === 0) return null;
  return (
    <p role="status" className={className ?? 'text-[13px] text-muted'}>
      {sentenceOf(error)} This was read <TimeAgo at={new Date(readAt).toISOString()} suffix=" ago." />{' '}
      {again && <Again error={error} again={again} />}
    </p>
  );
}

function Again({ error, again }: { error: Error; again: () => void }) {
  useRetry(error instanceof ApiError && error.mayPass, error, again);
  return (
    <button type="button" className="rounded text-link hover:underline" onClick={again}>
      Try again
    </button>
  );
}
