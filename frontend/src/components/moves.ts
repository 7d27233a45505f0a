/** The legal moves of an incident, as the contract lists them. */
import type { Incident, State } from '../api/types';

export const MOVES: Record<State, readonly State[]> = {
  detected: ['acknowledged', 'investigating', 'mitigated', 'resolved', 'inconclusive'],
  acknowledged: ['investigating', 'mitigated', 'resolved', 'inconclusive'],
  investigating: ['mitigated', 'resolved', 'inconclusive'],
  mitigated: ['investigating', 'resolved'],
  resolved: ['investigating', 'learned'],
  inconclusive: ['investigating', 'resolved', 'learned'],
  learned: [],
};

const VERBS: Record<State, string> = {
  detected: 'Detect',
  acknowledged: 'Acknowledge',
  investigating: 'Investigate',
  mitigated: 'Mark mitigated',
  resolved: 'Resolve',
  learned: 'Mark learned',
  inconclusive: 'Mark inconclusive',
};

/** Whether nobody has an open incident that is past its acknowledgement, as after a source opened it again. */
export function isUntaken({ open, state, acknowledged_at, assigned_to }: Incident): boolean {
  return open && acknowledged_at === null && assigned_to === null && !MOVES[state].includes('acknowledged');
}

/** What the button for a move says. */
export function moveVerb(from: State, to: State): string {
  if (to === 'investigating' && (from === 'resolved' || from === 'inconclusive')) return 'Reopen';
  if (to === 'investigating' && from === 'mitigated') return 'Back to investigating';
  return VERBS[to];
}
