/** The moves an incident can make, and what is said while, and after, it makes one. */
import { Ellipsis } from 'lucide-react';
import { useState } from 'react';
import type { Incident, State } from '../../api/types';
import { useKeys } from '../../components/keys';
import { useBlocked } from '../../components/me';
import { isUntaken, MOVES, moveVerb } from '../../components/moves';
import { Button, IconButton } from '../../ui/Button';
import { Key, Menu, MenuItem, MenuSeparator } from '../../ui/Menu';
import { Edit } from './Edit';
import { Learn } from './Learn';
import { Merge } from './Merge';
import { MoveReport } from './MoveReport';
import { type Deed, useMove, useSettled } from './move';
import { Resolve } from './Resolve';
import { SnoozeMenu } from './Snooze';

/** The move most people make next; one that has ended but fires again comes back first. */
function nextOf({ state, open_alert_count }: Incident): State | undefined {
  return state === 'resolved' && open_alert_count > 0 ? 'investigating' : NEXT[state];
}

const NEXT: Partial<Record<State, State>> = {
  detected: 'acknowledged',
  acknowledged: 'investigating',
  investigating: 'mitigated',
  mitigated: 'resolved',
  resolved: 'learned',
  inconclusive: 'investigating',
};

type Opened = 'resolve' | 'learn' | 'merge' | 'edit' | null;

/** The moves that ask before they are made. */
const ASKING: Partial<Record<Deed, Opened>> = { resolved: 'resolve', learned: 'learn' };

export function DeskActions({ incident, onEdit }: { incident: Incident; onEdit: () => void }) {
  const { move, blocked, waits, next, others, go, opened, setOpened } = useActions(incident);
  const firstKey = next === 'acknowledged' || next === 'taken';
  useKeys('Incident', [
    {
      keys: 'a',
      label: 'Acknowledge or take it',
      run: () => !blocked && firstKey && move.run(next),
    },
    {
      keys: 'r',
      label: 'Resolve',
      run: () => !blocked && (next === 'resolved' || others.includes('resolved')) && setOpened('resolve'),
    },
    { keys: 'e', label: 'Edit', run: () => !blocked && onEdit() },
  ]);
  return (
    <div className="mt-4 flex flex-wrap items-center gap-2 max-md:hidden">
      {next && (
        <Button
          look="primary"
          size="lg"
          className="!h-9"
          pending={move.state.kind === 'sending'}
          blocked={waits}
          onClick={() => go(next)}
        >
          {next === 'taken' ? 'Take it' : moveVerb(incident.state, next)}
          {firstKey && <KeyOnBlue>a</KeyOnBlue>}
        </Button>
      )}
      {others.map((state) => (
        <Button key={state} blocked={waits} className="!h-9" onClick={() => go(state)}>
          {moveVerb(incident.state, state)}
          {state === 'resolved' && <Key>r</Key>}
        </Button>
      ))}
      <SnoozeMenu incident={incident} byKey />
      <MoreMenu incident={incident} onOpen={setOpened} />
      <MoveReport move={move} />
      <Dialogs incident={incident} opened={opened} onClose={() => setOpened(null)} move={move} />
    </div>
  );
}

/** The same at the thumb: one wide button and the rest in a menu. */
export function PhoneActions({ incident }: { incident: Incident }) {
  const { move, waits, next, others, go, opened, setOpened } = useActions(incident);
  return (
    <div className="short:sticky short:bottom-0 shrink-0 border-hairline border-t bg-page px-3 pt-2 pb-[max(0.5rem,env(safe-area-inset-bottom))] md:hidden print:hidden">
      <MoveReport move={move} />
      <div className="flex gap-2">
        {next && (
          <Button
            look="primary"
            size="lg"
            className="!h-12 flex-1 text-base"
            pending={move.state.kind === 'sending'}
            blocked={waits}
            onClick={() => go(next)}
          >
            {next === 'taken' ? 'Take it' : moveVerb(incident.state, next)}
          </Button>
        )}
        <SnoozeMenu incident={incident} />
        <MoreMenu incident={incident} onOpen={setOpened} moves={waits ? [] : others} onMove={go} />
      </div>
      <Dialogs incident={incident} opened={opened} onClose={() => setOpened(null)} move={move} />
    </div>
  );
}

/** The legal moves, what comes first, and why they can't be made now. */
function useActions(incident: Incident) {
  const [opened, setOpened] = useState<Opened>(null);
  const move = useMove(incident);
  const blocked = useBlocked('engineer');
  const untaken = isUntaken(incident);
  const settled = useSettled(
    move.state.kind === 'sending' ? 'sending' : untaken ? 'released' : incident.state,
  );
  const legal = incident.merged_into ? [] : MOVES[incident.state];
  const next: Deed | undefined = untaken ? 'taken' : legal.find((state) => state === nextOf(incident));
  return {
    move,
    blocked,
    waits: blocked ?? (settled ? undefined : 'One moment: these buttons have just changed.'),
    next,
    others: legal.filter((state) => state !== next),
    go: (deed: Deed) => {
      const asking = ASKING[deed];
      if (asking) setOpened(asking);
      else move.run(deed);
    },
    opened,
    setOpened,
  };
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

function Dialogs({
  incident,
  opened,
  onClose,
  move,
}: {
  incident: Incident;
  opened: Opened;
  onClose: () => void;
  move: ReturnType<typeof useMove>;
}) {
  if (opened === 'resolve') return <Resolve incident={incident} onClose={onClose} move={move} />;
  if (opened === 'learn') return <Learn incident={incident} onClose={onClose} move={move} />;
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
