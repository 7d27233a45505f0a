/** The time before an incident in which a change may have caused it. */
import type { Incident } from '../../api/types';
import { ms } from '../../util/time';

export const BEFORE_MS = 60 * 60_000;
const AFTER_MS = 15 * 60_000;

/** From an hour before the start to a quarter of an hour after. */
export function spanBefore(incident: Incident): { from: string; to: string } {
  const start = ms(incident.started_at);
  return {
    from: new Date(start - BEFORE_MS).toISOString(),
    to: new Date(start + AFTER_MS).toISOString(),
  };
}
