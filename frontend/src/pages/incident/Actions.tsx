/** The moves an incident can make, and what is said while, and after, it makes one. */
import { Check, Ellipsis, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import type { Incident, State } from '../../api/types';
import { useKeys } from '../../components/keys';
import { useBlocked } from '../../components/me';
import { MOVES, moveVerb } from '../../components/moves';
import { Instant } from '../../components/Time';
import { Button, IconButton } from '../../ui/Button';
import { cx } from '../../ui/cx';
import { Key, Menu, MenuItem, MenuSeparator } from '../../ui/Menu';
import { Edit } from './Edit';
import { Merge } from './Merge';
import { type Move, useMove } from './move';
import { Resolve } from './Resolve';

/** The move most people make next. */
const NEXT: Partial<Record<State, State>> = {
  detected: 'acknowledged',
  acknowledged: 'investigating',
  investigating: 'mitigated',
  mitigated: 'resolved',
  resolved: 'learned',
  inconclusive: 'investigating',
};

type Opened = 'resolve' | 'merge' | 'edit' | null;

export function DeskActions({ incident, onEdit }: { incident: Incident; onEdit: () => void }) {
  const [opened, setOpened] = useState<Opened>(null);
  const move = useMove(incident);
  const blocked = useBlocked('engineer');
  const legal = incident.merged_into ? [] : MOVES[incident.state];
  const next = NEXT[incident.state];
  const go = (state: State) => (state === 'resolved' ? setOpened('resolve') : move.run(state));
  useKeys('Incident', [
    {
      keys: 'a',
      label: 'Acknowledge',
      run: () => !blocked && legal.includes('acknowledged') && move.run('acknowledged'),
    },
    {
      keys: 'r',
      label: 'Resolve',
      run: () => !blocked && legal.includes('resolved') && setOpened('resolve'),
    },
    { keys: 'e', label: 'Edit', run: () => !blocked && onEdit() },
  ]);
  return (
    <div className="mt-4 flex flex-wrap items-center gap-2 max-md:hidden">
      {next && legal.includes(next) && (
        <Button
          look="primary"
          size="lg"
          className="!h-9"
          pending={move.state.kind === 'sending'}
          blocked={blocked}
          onClick={() => go(next)}
        >
          {moveVerb(incident.state, next)}
          {next === 'acknowledged' && <KeyOnBlue>a</KeyOnBlue>}
        </Button>
      )}
      {legal
        .filter((state) => state !== next)
        .map((state) => (
          <Button key={state} blocked={blocked} className="!h-9" onClick={() => go(state)}>
            {moveVerb(incident.state, state)}
            {state === 'resolved' && <Key>r</Key>}
          </Button>
        ))}
      <MoreMenu incident={incident} onOpen={setOpened} />
      <MoveReport move={move.state} onRetry={move.retry} />
      <Dialogs incident={incident} opened={opened} onClose={() => setOpened(null)} />
    </div>
  );
}

/** The same at the thumb: one wide button and the rest in a menu. */
export function PhoneActions({ incident }: { incident: Incident }) {
  const [opened, setOpened] = useState<Opened>(null);
  const move = useMove(incident);
  const blocked = useBlocked('engineer');
  const legal = incident.merged_into ? [] : MOVES[incident.state];
  const next = NEXT[incident.state];
  const go = (state: State) => (state === 'resolved' ? setOpened('resolve') : move.run(state));
  return (
    <div className="shrink-0 border-hairline border-t bg-page px-3 pt-2 pb-[max(0.5rem,env(safe-area-inset-bottom))] md:hidden">
      <MoveReport move={move.state} onRetry={move.retry} />
      <div className="flex gap-2">
        {next && legal.includes(next) && (
          <Button
            look="primary"
            size="lg"
            className="!h-12 flex-1 text-base"
            pending={move.state.kind === 'sending'}
            blocked={blocked}
            onClick={() => go(next)}
          >
            {moveVerb(incident.state, next)}
          </Button>
        )}
        <MoreMenu
          incident={incident}
          onOpen={setOpened}
          moves={legal.filter((state) => state !== next)}
          onMove={go}
        />
      </div>
      <Dialogs incident={incident} opened={opened} onClose={() => setOpened(null)} />
    </div>
  );
}

/** Sending, confirmed with the server's time, or failed with a way to try again. */
function MoveReport({ move, onRetry }: { move: Move; onRetry: () => void }) {
  return (
    <span
      aria-live="polite"
      className={cx('text-[13px]', move.kind !== 'idle' && 'max-md:mb-2 max-md:block')}
    >
      {move.kind === 'sending' && <span className="text-muted">Sending…</span>}
      {move.kind === 'confirmed' && (
        <span className="inline-flex items-center gap-1.5 text-muted">
          <Check className="size-4 text-resolved" aria-hidden="true" />
          {move.word} <Instant at={move.at} />
        </span>
      )}
      {move.kind === 'failed' && (
        <span className="inline-flex flex-wrap items-center gap-2 text-critical">
          <TriangleAlert className="size-4" aria-hidden="true" /> {move.reason}
          <Button size="sm" onClick={onRetry}>
            Try again
          </Button>
        </span>
      )}
    </span>
  );
}

function MoreMenu({
  incident,
  onOpen,
  moves = [],
  onMove,
}: {
  incident: Incident;
  onOpen: (dialog: Opened) => void;
  moves?: readonly State[];
  onMove?: (state: State) => void;
}) {
  const blocked = useBlocked('engineer');
  if (blocked) return null;
  return (
    <Menu
      align="end"
      side="top"
      trigger={
        <IconButton label="More actions" className="!size-9 border border-control/60 max-md:!size-12">
          <Ellipsis className="size-4" aria-hidden="true" />
        </IconButton>
      }
    >
      {moves.map((state) => (
        <MenuItem key={state} onClick={() => onMove?.(state)}>
          {moveVerb(incident.state, state)}
        </MenuItem>
      ))}
      {moves.length > 0 && <MenuSeparator />}
      <MenuItem onClick={() => onOpen('edit')} hint="e">
        Edit title, severity, owner
      </MenuItem>
      {!incident.merged_into && (
        <MenuItem onClick={() => onOpen('merge')}>Merge into another incident</MenuItem>
      )}
    </Menu>
  );
}

function Dialogs({ incident, opened, onClose }: { incident: Incident; opened: Opened; onClose: () => void }) {
  if (opened === 'resolve') return <Resolve incident={incident} onClose={onClose} />;
  if (opened === 'merge') return <Merge incident={incident} onClose={onClose} />;
  if (opened === 'edit') return <Edit incident={incident} onClose={onClose} />;
  return null;
}

function KeyOnBlue({ children }: { children: string }) {
  return (
    <kbd className="ml-1 inline-flex size-5 items-center justify-center rounded border border-on-primary/40 font-sans text-[11px]">
      {children}
    </kbd>
  );
}
