/** Moving an incident to another state, never silently: the reader sees it sent, confirmed or failed. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { actions, useAction } from '../../api/actions';
import { q } from '../../api/endpoints';
import { ApiError, sentenceOf } from '../../api/errors';
import type { Incident, State } from '../../api/types';
import { useMe } from '../../components/me';
import { MOVES } from '../../components/moves';
import { stateWord } from '../../components/State';

/** How long a move offers to be taken back, where the workflow has a way back. */
export const UNDO_MS = 10_000;
/** How long after a move the buttons wait, so that a second tap on the old one does not press the new one. */
export const SETTLE_MS = 1000;

/** A move to a state, or who has it: that needs no move, and takes the place of one that is not legal any more. */
export type Deed = State | 'taken' | 'released';

export type Move =
  | { kind: 'idle' }
  | { kind: 'sending'; to: Deed }
  | { kind: 'confirmed'; word: string; at: string; undo: Deed | null }
  | { kind: 'overtaken'; text: string; at: string | null }
  /** With `again` it may go better another time; a role that does not allow it stays as it is. */
  | { kind: 'failed'; to: Deed; reason: string; again: boolean };

const READS = ['incident', 'incidents', 'steps', 'summary'] as const;

export function useMove(incident: Incident) {
  const [state, setState] = useState<Move>({ kind: 'idle' });
  const client = useQueryClient();
  const me = useMe().user.id;
  const look = () => client.fetchQuery({ ...q.incident(incident.id), staleTime: 0 }).catch(() => null);
  const confirm = (saved: Incident, done: Deed = saved.state) => {
    client.setQueriesData<Incident>({ queryKey: ['incident'] }, (old) =>
      old?.id === saved.id ? saved : old,
    );
    setState(confirmed(done, incident.state, saved));
  };
  // Confirmed by the answer itself, and not only when everything else was read again.
  const change = useAction(async (to: Deed) => {
    const now = to === 'taken' ? await look() : null;
    if (now?.assigned_to && now.assigned_to !== me) setState(overtaken(now, to));
    else confirm(await send(incident.id, to, me), to);
  }, READS);
  const explain = async (to: Deed, error: unknown) => {
    const now = isConflict(error) ? await look() : null;
    const again = !(error instanceof ApiError && error.forbidden);
    setState(
      now && !now.merged_into ? overtaken(now, to) : { kind: 'failed', to, reason: sentenceOf(error), again },
    );
    for (const read of READS) void client.invalidateQueries({ queryKey: [read] });
  };
  const run = (to: Deed) => {
    if (state.kind === 'sending') return;
    setState({ kind: 'sending', to });
    change.mutate(to, { onError: (error) => void explain(to, error) });
  };
  const undo = state.kind === 'confirmed' ? state.undo : null;
  useEffect(() => {
    if (!undo) return;
    const timer = setTimeout(
      () => setState((now) => (now.kind === 'confirmed' ? { ...now, undo: null } : now)),
      UNDO_MS,
    );
    return () => clearTimeout(timer);
  }, [undo]);
  return {
    state: arrived(state, incident, me),
    run,
    confirm,
    explain,
    undo: () => undo && run(undo),
    retry: () => state.kind === 'failed' && run(state.to),
  };
}

/** Whether what the buttons do has stood long enough for a press to be meant, whoever changed it. */
export function useSettled(now: Deed | 'sending'): boolean {
  const [settled, setSettled] = useState(now);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(now), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [now]);
  return settled === now;
}

function send(id: string, to: Deed, me: string): Promise<Incident> {
  if (to === 'taken') return actions.changeIncident({ id, change: { assigned_to: me } });
  if (to === 'released') return actions.changeIncident({ id, change: { assigned_to: null } });
  return actions.moveIncident({ id, state: to });
}

/** A move of which no answer came, and which was made all the same. */
function arrived(move: Move, incident: Incident, me: string): Move {
  if (move.kind !== 'failed') return move;
  const { state, assigned_to } = incident;
  const made =
    move.to === 'taken'
      ? assigned_to === me
      : move.to === 'released'
        ? assigned_to === null
        : move.to === state;
  return made ? confirmed(move.to, state, incident) : move;
}

function confirmed(done: Deed, from: State, saved: Incident): Move {
  if (done === 'taken')
    return { kind: 'confirmed', word: 'Yours since', at: saved.updated_at, undo: 'released' };
  if (done === 'released') return { kind: 'confirmed', word: 'Given back', at: saved.updated_at, undo: null };
  const undo = MOVES[saved.state].includes(from) ? from : null;
  return { kind: 'confirmed', word: stateWord(saved.state), at: reachedAt(saved), undo };
}

/** Whether the server refused because the incident is not as this page has it. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409;
}

/** Somebody else was faster: what they did, which is no failure. */
function overtaken(now: Incident, to: Deed): Move {
  if (to === 'taken')
    return { kind: 'overtaken', text: `Already taken by ${now.assigned_to_name ?? 'someone'}`, at: null };
  if (to === 'acknowledged' && now.acknowledged_at) {
    const by = now.acknowledged_by ? ` by ${now.acknowledged_by}` : '';
    return { kind: 'overtaken', text: `Already acknowledged${by}`, at: now.acknowledged_at };
  }
  const word = stateWord(now.state).toLowerCase();
  return { kind: 'overtaken', text: now.state === to ? `Already ${word}` : `By now it is ${word}`, at: null };
}

/** When the incident, by the server's clock, came into the state it is in. */
function reachedAt(incident: Incident): string {
  const { state } = incident;
  if (state === 'acknowledged') return incident.acknowledged_at ?? incident.updated_at;
  if (state === 'mitigated') return incident.mitigated_at ?? incident.updated_at;
  return incident.updated_at;
}
