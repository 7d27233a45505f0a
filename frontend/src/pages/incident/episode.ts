/** When an incident began and ended by its senders' clocks, which may be long before anyone was told. */
import type { Incident, IncidentAlert } from '../../api/types';
import { ms } from '../../util/time';

/** A message this late is worth a word. */
const LATE_MS = 60_000;

export type Episode = {
  from: string;
  /** Null while it lasts. */
  to: string | null;
  /** How long after its start it was received, milliseconds; null when that is not worth a word. */
  received_after_ms: number | null;
  /** It had ended before anybody was told of it. */
  overBeforeSent: boolean;
};

export function episodeOf(incident: Incident, alerts: readonly IncidentAlert[]): Episode {
  const late = ms(incident.detected_at) - ms(incident.started_at);
  const ended = lastEnd(alerts);
  const overBeforeSent = !incident.open && ended !== null && ms(ended) <= ms(incident.detected_at);
  return {
    from: incident.started_at,
    to: incident.open ? null : overBeforeSent ? ended : incident.resolved_at,
    received_after_ms: late > LATE_MS ? late : null,
    overBeforeSent,
  };
}

/** When the last of them ended; null while one fires or none is known. */
function lastEnd(alerts: readonly IncidentAlert[]): string | null {
  const ends = alerts.map((one) => one.ends_at);
  if (ends.includes(null)) return null;
  return ends.reduce((a, b) => (a !== null && b !== null && ms(a) > ms(b) ? a : b), null);
}
