/** What a view says when its data could not be read; while the server is away it goes on asking. */
import { CircleAlert, RotateCw } from 'lucide-react';
import { ApiError, sentenceOf } from '../api/errors';
import { Button } from '../ui/Button';
import { useNow } from './clock';
import { type Outage, useRetry } from './retry';

/** Answers that asking again would not change: it does not exist, it is not for you, or the address means nothing. */
const FINAL: ReadonlySet<number> = new Set([400, 403, 404, 422]);

type Props = { error: unknown; onRetry?: () => void; outage?: Outage };

export function ErrorState({ error, onRetry, outage }: Props) {
  const reference = error instanceof ApiError ? error.requestId : null;
  const final = error instanceof ApiError && FINAL.has(error.status);
  const passing = error instanceof ApiError && error.mayPass && onRetry !== undefined;
  const nextAt = useRetry(passing, error, () => onRetry?.(), outage);
  return (
    <div className="mx-auto flex max-w-md flex-col items-center px-6 py-14 text-center">
      <CircleAlert className="mb-3 size-6 text-critical" aria-hidden="true" />
      <p role="alert" className="font-medium">
        {sentenceOf(error)}
      </p>
      {reference && <p className="mt-1 font-mono text-muted text-xs">request {reference}</p>}
      {passing && <Countdown to={nextAt} />}
      {onRetry && !final && (
        <Button className="mt-4" onClick={onRetry}>
          <RotateCw className="size-3.5" aria-hidden="true" /> Try again
        </Button>
      )}
    </div>
  );
}

function Countdown({ to }: { to: number }) {
  useNow();
  const left = Math.ceil((to - Date.now()) / 1000);
  return (
    <p className="mt-1 text-muted text-sm tabular-nums">
      {left > 0 ? `This page asks again in ${left} s.` : 'Asking again…'}
    </p>
  );
}
