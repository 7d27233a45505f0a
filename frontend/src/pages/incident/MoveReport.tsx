/** What became of a move: sending, confirmed with the server's time, or failed with a way to try again. */
import { Check, TriangleAlert } from 'lucide-react';
import { Instant } from '../../components/Time';
import { useWriteWait } from '../../components/WaitingNote';
import { Button } from '../../ui/Button';
import { cx } from '../../ui/cx';
import type { Move, useMove } from './move';

export function MoveReport({ move }: { move: ReturnType<typeof useMove> }) {
  const { state } = move;
  return (
    <span
      aria-live="polite"
      className={cx('min-w-0 text-[13px]', state.kind !== 'idle' && 'max-md:mb-2 max-md:block')}
    >
      <Words state={state} />
      {state.kind === 'confirmed' && state.undo && (
        <Button size="sm" className="ml-2" onClick={move.undo}>
          Undo
        </Button>
      )}
      {state.kind === 'failed' && state.again && (
        <Button size="sm" className="ml-2" onClick={move.retry}>
          Try again
        </Button>
      )}
    </span>
  );
}

function Words({ state }: { state: Move }) {
  const wait = useWriteWait();
  if (state.kind === 'idle') return null;
  if (state.kind === 'sending')
    return (
      <span className="text-muted tabular-nums">{wait === null ? 'Sending…' : `Waiting ${wait} s…`}</span>
    );
  if (state.kind === 'failed')
    return (
      <span className="text-critical">
        <TriangleAlert className="mr-1.5 inline size-4" aria-hidden="true" />
        {state.reason}
      </span>
    );
  return (
    <span className="text-muted [overflow-wrap:anywhere]">
      <Check className="mr-1.5 inline size-4 text-resolved" aria-hidden="true" />
      {state.kind === 'confirmed' ? state.word : <bdi>{state.text}</bdi>}{' '}
      {state.at && <Instant at={state.at} />}
    </span>
  );
}
