/** What evidence means on the page. */
import type { Evidence, Incident } from '../../api/types';
import { measured } from '../../util/numbers';
import { ms } from '../../util/time';

/** The span the incident lasted; an open one lasts until now. */
export function shadeOf(incident: Incident): { from: number; to: number } {
  return {
    from: ms(incident.started_at),
    to: incident.resolved_at ? ms(incident.resolved_at) : Number.MAX_SAFE_INTEGER,
  };
}

/** What the chart of a piece of evidence shows, with its numbers. */
export function chartAlt(evidence: Evidence): string {
  const values = (evidence.series ?? []).flatMap((one) => one.points.flatMap(([, y]) => y ?? []));
  if (values.length === 0) return `${evidence.summary} No data points.`;
  const most = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const least = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const limit = evidence.threshold === null ? '' : `, limit ${measured(evidence.threshold, evidence.unit)}`;
  const subject = evidence.summary.replace(/[.\s]+$/, '');
  return `${subject}. From ${measured(least, evidence.unit)} to ${measured(most, evidence.unit)}${limit}.`;
}
