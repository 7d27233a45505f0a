/** Moving an incident to another state, never silently: the reader sees it sent, confirmed or failed. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { actions, useAction } from '../../api/actions';
import { q } from '../../api/endpoints';
import { ApiError, sentenceOf } from '../../api/errors';
import type { Incident, State } from '../../api/types';
import { MOVES } from '../../components/moves';
import { stateWord } from '../../components/State';

/** How long a move offers to be taken back, where the workflow has a way back. */
export const UNDO_MS = 10_000;
/** How long after a move the buttons wait, so that a second tap on the old one does not press the new one. */
export const SETTLE_MS = 1000;

export type Move =
  | { kind: 'idle' }
  | { kind: 'sending'; to: State }
  | { kind: 'confirmed'; word: string; at: string; undo: State | null }
  | { kind: 'overtaken'; text: string; at: string | null }
  | { kind: 'failed'; to: State; reason: string };

const READS = ['incident', 'incidents', 'steps', 'summary'] as const;

export function useMove(incident: Incident) {
  const [state, setState] = useState<Move>({ kind: 'idle' });
  const client = useQueryClient();
  const confirm = (saved: Incident) => {
    client.setQueriesData<Incident>({ queryKey: ['incident'] }, (old) =>
      old?.id === saved.id ? saved : old,
    );
    setState(confirmed(incident.state, saved));
  };
  // Confirmed by the answer itself, and not only when everything else was read again.
  const change = useAction(
    async (to: State) => confirm(await actions.moveIncident({ id: incident.id, state: to })),
    READS,
  );
  const explain = async (to: State, error: unknown) => {
    const now = isConflict(error)
      ? await client.fetchQuery({ ...q.incident(incident.id), staleTime: 0 }).catch(() => null)
      : null;
    setState(
      now && !now.merged_into ? overtaken(now, to) : { kind: 'failed', to, reason: sentenceOf(error) },
    );
    for (const read of READS) void client.invalidateQueries({ queryKey: [read] });
  };
  const run = (to: State) => {
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
    state: arrived(state, incident),
    run,
    confirm,
    explain,
    undo: () => undo && run(undo),
    retry: () => state.kind === 'failed' && run(state.to),
  };
}

/** Whether what the buttons do has stood long enough for a press to be meant, whoever changed it. */
export function useSettled(now: State | 'sending'): boolean {
  const [settled, setSettled] = useState(now);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(now), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [now]);
  return settled === now;
}

/** A move of which no answer came, and which was made all the same. */
function arrived(move: Move, incident: Incident): Move {
  const made = move.kind === 'failed' && move.to === incident.state;
  return made ? confirmed(incident.state, incident) : move;
}

function confirmed(from: State, saved: Incident): Move {
  const undo = MOVES[saved.state].includes(from) ? from : null;
  return { kind: 'confirmed', word: stateWord(saved.state), at: reachedAt(saved), undo };
}

/** Whether the server refused because the incident is not as this page has it. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409;
}

/** Somebody else was faster: what they did, which is no failure. */
function overtaken(now: Incident, to: State): Move {
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
