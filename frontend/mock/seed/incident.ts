/** Making one incident with everything that belongs to it. */

import type { AnalysisSummary, Incident, IncidentAlert, Severity, State } from '../../src/api/types';
import type { Db } from '../db';
import { uuid } from '../ids';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export type Plan = {
  number: number;
  title: string;
  service: string | null;
  severity: Severity;
  state: State;
  /** When it was detected, milliseconds. */
  at: number;
  alerts: number;
  firing?: number;
  owner?: { id: string; name: string } | undefined;
  analysis?: AnalysisSummary | null;
  /** How long the sender took to tell, milliseconds. */
  sentAfter?: number;
  acknowledgedAfter?: number;
  acknowledgedBy?: string | undefined;
  resolvedAfter?: number;
  extra?: Partial<Incident>;
};

export function incidentOf(plan: Plan, project: string, source: string): Incident {
  const { at, state } = plan;
  const time = (after: number | undefined) =>
    after === undefined ? null : new Date(at + after).toISOString();
  const open = state !== 'resolved' && state !== 'learned';
  const reached = (least: State[]) => least.includes(state);
  return {
    id: uuid(),
    number: plan.number,
    project_id: project,
    title: plan.title,
    description: '',
    service_name: plan.service,
    severity: plan.severity,
    severity_note: null,
    state,
    open,
    source,
    labels: {
      alertname: alertName(plan.title),
      cluster: 'eu-1',
      namespace: 'shop',
      ...(plan.service && { service: plan.service }),
    },
    alert_count: plan.alerts,
    open_alert_count: plan.firing ?? (open ? plan.alerts : 0),
    stale: false,
    flapping: false,
    snoozed_until: null,
    assigned_to: plan.owner?.id ?? null,
    assigned_to_name: plan.owner?.name ?? null,
    started_at: new Date(at - (plan.sentAfter ?? 0)).toISOString(),
    detected_at: new Date(at).toISOString(),
    acknowledged_at: state === 'detected' ? null : time(plan.acknowledgedAfter ?? 2 * MINUTE),
    acknowledged_by: state === 'detected' ? null : (plan.acknowledgedBy ?? plan.owner?.name ?? 'Robin Vale'),
    investigating_at: reached(['investigating', 'mitigated', 'resolved', 'learned'])
      ? time(5 * MINUTE)
      : null,
    mitigated_at: reached(['mitigated', 'learned']) ? time(12 * MINUTE) : null,
    resolved_at: open ? null : time(plan.resolvedAfter ?? 25 * MINUTE),
    learned_at: state === 'learned' ? time(20 * HOUR) : null,
    root_cause: null,
    resolution_summary: null,
    merged_into: null,
    previous_incident_id: null,
    created_at: new Date(at).toISOString(),
    updated_at: new Date(at + MINUTE).toISOString(),
    version: 3,
    analysis: plan.analysis ?? null,
    ...plan.extra,
  };
}

export function addAlerts(db: Db, incident: Incident, descriptions: string[]): void {
  const [hook] = db.integrations;
  const alerts: IncidentAlert[] = descriptions.map((description, index) => ({
    id: uuid(),
    fingerprint: (0x9f3a11c0 + index).toString(16).padStart(16, '4'),
    name: incident.labels.alertname ?? 'Alert',
    title: incident.title,
    description,
    severity: incident.severity,
    service_name: incident.service_name,
    status: index < incident.open_alert_count ? 'firing' : 'resolved',
    labels: {
      ...incident.labels,
      severity: incident.severity,
      pod: `${incident.service_name}-7d9f4-${'xkqzm'[index % 5]}${index}`,
    },
    annotations: { summary: incident.title },
    starts_at: new Date(Date.parse(incident.started_at) + index * 9000).toISOString(),
    ends_at: incident.open ? null : incident.resolved_at,
    last_seen_at: new Date(Date.now() - 20_000).toISOString(),
    repeat_count: 3 + index,
    flapping: incident.flapping,
    flags: [],
    generator_url: 'http://prometheus.shop.example:9090/graph?g0.expr=up',
    runbook_url: index === 0 ? 'https://runbooks.shop.example/high-error-rate' : null,
    integration_id: hook?.id ?? '',
    integration_name: hook?.name ?? '',
  }));
  db.alerts.set(incident.id, alerts);
}

function alertName(title: string): string {
  const words = title.replace(/[^a-z ]/gi, '').split(' ');
  return words
    .filter((word) => word.length > 2)
    .slice(0, 3)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
