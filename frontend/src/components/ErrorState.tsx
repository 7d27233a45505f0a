/** What a view says when its data could not be read. */
import { CircleAlert, RotateCw } from 'lucide-react';
import { ApiError, sentenceOf } from '../api/errors';
import { Button } from '../ui/Button';

/** Answers that asking again would not change: it does not exist, or the address means nothing. */
const FINAL: ReadonlySet<number> = new Set([400, 404, 422]);

export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const reference = error instanceof ApiError ? error.requestId : null;
  const final = error instanceof ApiError && FINAL.has(error.status);
  return (
    <div role="alert" className="mx-auto flex max-w-md flex-col items-center px-6 py-14 text-center">
      <CircleAlert className="mb-3 size-6 text-critical" aria-hidden="true" />
      <p className="font-medium">{sentenceOf(error)}</p>
      {reference && <p className="mt-1 font-mono text-muted text-xs">request {reference}</p>}
      {onRetry && !final && (
        <Button className="mt-4" onClick={onRetry}>
          <RotateCw className="size-3.5" aria-hidden="true" /> Try again
        </Button>
      )}
    </div>
  );
}
