/** Counts over the incidents of a span, as the server would make them. */
import { http } from 'msw';
import {
  type Change,
  type Incident,
  type IncidentAnalytics,
  type IncidentBucket,
  SEVERITIES,
  type Severity,
  STATES,
  type Stat,
  type State,
} from '../../src/api/types';
import { db } from '../db';
import { API, json, paged } from './answers';

const DAY = 86_400_000;

export const analyticsHandlers = [
  http.get(`${API}/changes`, ({ request }) => {
    const params = new URL(request.url).searchParams;
    const from = params.get('from') ?? '';
    const to = params.get('to') ?? '9';
    const inside = (change: Change) => change.timestamp >= from && change.timestamp <= to;
    return paged(
      db.changes.filter(inside).sort((a, b) => b.timestamp.localeCompare(a.timestamp)),
      request,
    );
  }),
  http.get(`${API}/analytics/incidents`, ({ request }) => {
    const params = new URL(request.url).searchParams;
    return json(over(params.get('from') ?? '', params.get('to') ?? ''));
  }),
  http.get(`${API}/analytics/ai`, ({ request }) => {
    const params = new URL(request.url).searchParams;
    const from = params.get('from') ?? '';
    const verdicts = [...db.hypotheses.values()].flatMap((one) =>
      one.items.flatMap((h) => h.feedback?.verdict ?? []),
    );
    const given = (verdict: string) => verdicts.filter((one) => one === verdict).length;
    const statuses = [...db.hypotheses.values()].flatMap((one) => one.analysis?.status ?? []);
    const ended = (status: string) => statuses.filter((one) => one === status).length;
    return json({
      ...db.ai,
      from,
      to: params.get('to') ?? '',
      days: db.ai.days.filter((day) => day.day >= from.slice(0, 10)),
      feedback: {
        accepted: 26 + given('accepted'),
        rejected: 14 + given('rejected'),
        uncertain: 7 + given('uncertain'),
      },
      analyses: {
        completed: ended('completed'),
        inconclusive: ended('inconclusive'),
        failed: ended('failed'),
      },
    });
  }),
];

function over(from: string, to: string): IncidentAnalytics {
  const inside = db.incidents.filter((one) => one.detected_at >= from && one.detected_at <= to);
  const services = new Map<string | null, number>();
  for (const one of inside) services.set(one.service_name, (services.get(one.service_name) ?? 0) + 1);
  const alerts = inside.reduce((sum, one) => sum + one.alert_count, 0);
  return {
    from,
    to,
    bucket: 'day',
    buckets: buckets(inside, Date.parse(from), Date.parse(to)),
    by_state: counts(STATES, (state: State) => inside.filter((one) => one.state === state).length),
    by_severity: counts(SEVERITIES, (severity: Severity) => bySeverity(inside, severity)),
    by_service: [...services]
      .map(([service_name, count]) => ({ service_name, count }))
      .sort((a, b) => b.count - a.count),
    mtta: stat(inside, 'acknowledged_at'),
    mttr: stat(inside, 'resolved_at'),
    alerts,
    incidents: inside.length,
    alerts_per_incident: inside.length > 0 ? alerts / inside.length : null,
  };
}

function buckets(incidents: Incident[], from: number, to: number): IncidentBucket[] {
  const out: IncidentBucket[] = [];
  for (let start = Math.floor(from / DAY) * DAY; start < to; start += DAY) {
    const within = (text: string | null) =>
      text !== null && Math.floor(Date.parse(text) / DAY) * DAY === start;
    const opened = incidents.filter((one) => within(one.detected_at));
    out.push({
      start: new Date(start).toISOString(),
      opened: opened.length,
      resolved: incidents.filter((one) => within(one.resolved_at)).length,
      by_severity: counts(SEVERITIES, (severity: Severity) => bySeverity(opened, severity)),
    });
  }
  return out;
}

function stat(incidents: Incident[], field: 'acknowledged_at' | 'resolved_at'): Stat {
  const spans = incidents
    .flatMap((one) => {
      const end = one[field];
      return end ? (Date.parse(end) - Date.parse(one.detected_at)) / 1000 : [];
    })
    .sort((a, b) => a - b);
  const at = (part: number) => spans[Math.floor((spans.length - 1) * part)] ?? null;
  return { median_s: at(0.5), p90_s: at(0.9), count: spans.length };
}

function bySeverity(incidents: Incident[], severity: Severity): number {
  return incidents.filter((one) => one.severity === severity).length;
}

function counts<K extends string>(keys: readonly K[], count: (key: K) => number): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, count(key)])) as Record<K, number>;
}
