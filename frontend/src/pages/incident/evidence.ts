/** What evidence means on the page. */
import type { Change, Evidence, Incident } from '../../api/types';
import type { Marker } from '../../components/Chart';
import { safeUrl } from '../../components/safeUrl';
import { measured } from '../../util/numbers';
import { straight } from '../../util/sentence';
import { ms } from '../../util/time';

/** The span the incident lasted; an open one lasts until now. */
export function shadeOf(incident: Incident): { from: number; to: number } {
  return {
    from: ms(incident.started_at),
    to: incident.resolved_at ? ms(incident.resolved_at) : Number.MAX_SAFE_INTEGER,
  };
}

/** Whether there is anything behind the summary. */
export function hasMore({ series, query, start, end, url }: Evidence): boolean {
  return Boolean(series?.length || query || (start && end) || safeUrl(url));
}

/** What was measured over a span, in its order; then what happened at an instant, the nearest to the start first. */
export function nearestFirst(evidence: readonly Evidence[], incident: Incident): Evidence[] {
  const away = ({ start, end }: Evidence) =>
    start && !end ? Math.abs(ms(start) - ms(incident.started_at)) : Number.NEGATIVE_INFINITY;
  return [...evidence].sort((a, b) => (away(a) < away(b) ? -1 : Number(away(a) > away(b))));
}

/** What the chart of a piece of evidence shows, with its numbers. */
export function chartAlt(evidence: Evidence): string {
  const values = (evidence.series ?? []).flatMap((one) => one.points.flatMap(([, y]) => y ?? []));
  if (values.length === 0) return `${evidence.summary} No data points.`;
  const most = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const least = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const limit = evidence.threshold === null ? '' : `, limit ${measured(evidence.threshold, evidence.unit)}`;
  const subject = cut(evidence.summary.replace(/[.\s]+$/, ''), LONGEST_SUBJECT);
  const [low, high] = [measured(least, evidence.unit), measured(most, evidence.unit)];
  const range = low === high ? `${low} throughout` : `Between ${low} and ${high}`;
  return `${subject}${subject.endsWith('…') ? '' : '.'} ${range}${limit}.`;
}

/** The summary stands in full above the chart; its numbers must not be pushed out of sight. */
const LONGEST_SUBJECT = 120;
const LONGEST_NAME = 28;

/** What a change is called beside its line in a chart: `checkout-api v2.41.0`, `payments config`. */
export function markerOf({ service_name, version, kind, timestamp }: Change): Marker {
  return {
    at: ms(timestamp),
    label: `${cut(service_name, LONGEST_NAME)} ${cut(version ?? kind, LONGEST_NAME)}`,
  };
}

function cut(text: string, longest: number): string {
  const letters = [...straight(text)];
  return letters.length > longest ? `${letters.slice(0, longest - 1).join('')}…` : letters.join('');
}
