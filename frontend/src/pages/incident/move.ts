/** Moving an incident to another state, never silently: the reader sees it sent, confirmed or failed. */
import { useState } from 'react';
import { actions, useAction } from '../../api/actions';
import { sentenceOf } from '../../api/errors';
import type { Incident, State } from '../../api/types';
import { stateWord } from '../../components/State';

export type Move =
  | { kind: 'idle' }
  | { kind: 'sending'; to: State }
  | { kind: 'confirmed'; word: string; at: string }
  | { kind: 'failed'; to: State; reason: string };

export function useMove(incident: Incident) {
  const [state, setState] = useState<Move>({ kind: 'idle' });
  const change = useAction(actions.moveIncident, ['incident', 'incidents', 'steps', 'summary']);
  const run = (to: State) => {
    if (state.kind === 'sending') return;
    setState({ kind: 'sending', to });
    change.mutate(
      { id: incident.id, state: to },
      {
        onSuccess: (saved) =>
          setState({ kind: 'confirmed', word: stateWord(saved.state), at: reachedAt(saved) }),
        onError: (error) => setState({ kind: 'failed', to, reason: sentenceOf(error) }),
      },
    );
  };
  return { state, run, retry: () => state.kind === 'failed' && run(state.to) };
}

/** When the incident, by the server's clock, came into the state it is in. */
function reachedAt(incident: Incident): string {
  const { state } = incident;
  if (state === 'acknowledged') return incident.acknowledged_at ?? incident.updated_at;
  if (state === 'mitigated') return incident.mitigated_at ?? incident.updated_at;
  return incident.updated_at;
}
