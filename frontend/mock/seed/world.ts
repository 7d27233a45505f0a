/** The mock's world: a small shop with a bad night behind it, and the same shop before anyone came. */

import type { Incident, Severity } from '../../src/api/types';
import type { Db } from '../db';
import { load } from '../db';
import { random, uuid } from '../ids';
import { usage } from './ai';
import { fillChannels } from './channels';
import { fillCheckout } from './checkout';
import { deliveryOf, integrationOf } from './hooks';
import { addAlerts, HOUR, incidentOf, MINUTE, type Plan } from './incident';
import { fillInconclusive } from './inconclusive';
import { oddOnes } from './odd';
import { people } from './people';

/**
 * `shop`: work to do. `odd`: the same with incidents that are hard on a page. `quiet`: connected, nothing open.
 * `empty`: nothing connected. `first`: nobody registered.
 */
export type Scenario = 'shop' | 'odd' | 'quiet' | 'empty' | 'first';

export function seed(scenario: Scenario, past = 60, now = Date.now()): void {
  const { members, projects, me, apiKeys, sessions, audit } = people(now);
  const hooks =
    scenario === 'shop' || scenario === 'odd' || scenario === 'quiet'
      ? [
          integrationOf('alertmanager', 'Alertmanager prod-eu', 'http://alertmanager.shop.example:9093', now),
          integrationOf('prometheus', 'Prometheus prod-eu', 'http://prometheus.shop.example:9090', now),
          integrationOf('grafana', 'Grafana', null, now),
        ]
      : [];
  const content: Db = {
    signedIn: scenario !== 'first',
    llmEnabled: true,
    llmOff: null,
    setup: { can_register: scenario === 'first', registration: 'first' },
    me,
    projects,
    members,
    invitations: [
      {
        id: uuid(),
        email: 'lee@shop.example',
        role: 'engineer',
        expires_at: new Date(now + 3 * 24 * HOUR).toISOString(),
      },
    ],
    apiKeys,
    sessions,
    audit,
    integrations: hooks,
    deliveries: [],
    channels: [],
    notifications: [],
    incidents: [],
    steps: new Map(),
    alerts: new Map(),
    evidence: new Map(),
    hypotheses: new Map(),
    earlier: new Map(),
    changes: [],
    ai: usage(now),
  };
  load(content);
  if (scenario === 'shop' || scenario === 'odd') openOnes(content, now);
  if (scenario === 'odd') oddOnes(content, now);
  if (scenario === 'shop' || scenario === 'odd') fillChannels(content, now);
  if (hooks.length > 0) pastOnes(content, past, now, scenario === 'quiet' ? 0 : 1);
  content.incidents.sort((a, b) => b.number - a.number);
  hooks.forEach((hook, index) => {
    if (index === 2) return;
    hook.last_delivery_at = new Date(now - 12_000 - index * 9000).toISOString();
    hook.last_delivery_status = 'accepted';
  });
}

function openOnes(db: Db, now: number): void {
  const [, ana, jun] = db.members.map((one) => ({ id: one.user_id, name: one.full_name }));
  const plans: Plan[] = [
    {
      number: 142,
      title: 'checkout-api: 14% of requests failing (limit 1%)',
      service: 'checkout-api',
      severity: 'critical',
      state: 'detected',
      at: now - 10 * MINUTE - 49_000,
      alerts: 3,
      analysis: {
        status: 'completed',
        claim: 'Deploy v2.41.0 exhausted the connection pool of checkout-api.',
        confidence_score: 0.84,
        suspected_service: 'checkout-api',
      },
    },
    {
      number: 141,
      title: 'payments: p99 latency 4.8 s (objective 800 ms)',
      service: 'payments',
      severity: 'high',
      state: 'acknowledged',
      at: now - 14 * MINUTE,
      sentAfter: 9.5 * MINUTE,
      alerts: 8,
      acknowledgedBy: ana?.name,
      analysis: { status: 'running', claim: null, confidence_score: null, suspected_service: null },
    },
    {
      number: 140,
      title: 'search: disk 91% full, full in about 2 h',
      service: 'search',
      severity: 'medium',
      state: 'investigating',
      at: now - 38 * MINUTE,
      sentAfter: 12 * MINUTE,
      alerts: 1,
      owner: ana,
      extra: { severity_note: 'The alert has no severity label, so it counts as medium.' },
      analysis: { status: 'inconclusive', claim: null, confidence_score: null, suspected_service: null },
    },
    {
      number: 139,
      title: 'cart: memory of 2 pods grows 40 MiB an hour',
      service: 'cart',
      severity: 'low',
      state: 'detected',
      at: now - 2 * HOUR - 5 * MINUTE,
      alerts: 2,
      extra: { flapping: true },
      analysis: {
        status: 'completed',
        claim: 'A cache in cart v1.9 is never emptied.',
        confidence_score: 0.31,
        suspected_service: 'cart',
      },
    },
    {
      number: 138,
      title: 'Customers report missing order e-mails',
      service: null,
      severity: 'high',
      state: 'mitigated',
      at: now - 5 * HOUR,
      alerts: 0,
      owner: jun,
      analysis: { status: 'failed', claim: null, confidence_score: null, suspected_service: null },
    },
  ];
  for (const plan of plans) {
    const source = plan.alerts === 0 ? 'manual' : (db.integrations[0]?.name ?? 'manual');
    const incident = incidentOf(plan, db.me.project.id, source);
    db.incidents.push(incident);
    if (plan.number === 142) fillCheckout(db, incident, now);
    else fillOther(db, incident, now);
    db.deliveries.push(
      ...db.integrations
        .slice(0, 1)
        .map((hook) =>
          deliveryOf(hook, { at: plan.at + 1000, incident: incident.id, alerts: Math.max(1, plan.alerts) }),
        ),
    );
  }
  for (const { id, results } of db.deliveries)
    for (const step of db.steps.get(results[0]?.incident_id ?? '') ?? [])
      if (step.step_type === 'alert_received') step.detail = { ...step.detail, delivery_id: id };
  const [hook] = db.integrations;
  if (hook)
    db.deliveries.push(deliveryOf(hook, { at: now - 26 * HOUR, incident: null, alerts: 0, refused: true }));
}

function fillOther(db: Db, incident: Incident, now: number): void {
  if (incident.alert_count > 0)
    addAlerts(
      db,
      incident,
      Array.from({ length: Math.min(incident.alert_count, 8) }, () => incident.title),
    );
  fillInconclusive(db, incident, now);
}

const PAST: [string, string, Severity][] = [
  ['checkout-api', 'checkout-api: connection pool exhausted', 'critical'],
  ['payments', 'payments: 3% of card payments declined', 'high'],
  ['search', 'search: index is 20 minutes behind', 'medium'],
  ['cart', 'cart: p95 latency 1.2 s (objective 500 ms)', 'medium'],
  ['orders-db', 'orders-db: replication is 45 s behind', 'high'],
  ['frontend', 'frontend: certificate ends in 6 days', 'low'],
];

/** The first `firing` of them were resolved although an alert still fires. */
function pastOnes(db: Db, count: number, now: number, firing: number): void {
  const roll = random(42);
  for (let index = 0; index < count; index += 1) {
    const [service, title, severity] = PAST[Math.floor(roll() * PAST.length)] ?? PAST[0] ?? ['', '', 'low'];
    const at = now - (8 + index * (count > 500 ? 0.5 : 9) + roll() * 5) * HOUR;
    const learned = roll() > 0.7;
    const incident = incidentOf(
      {
        number: (count > 130 ? 20_000 : 137) - index,
        title,
        service,
        severity,
        state: learned ? 'learned' : 'resolved',
        at,
        alerts: 1 + Math.floor(roll() * 12),
        firing: index < firing ? 1 : 0,
        acknowledgedAfter: (0.4 + roll() * 6) * MINUTE,
        resolvedAfter: (6 + roll() * 70) * MINUTE,
        owner: db.members.map((one) => ({ id: one.user_id, name: one.full_name }))[Math.floor(roll() * 4)],
      },
      db.me.project.id,
      db.integrations[0]?.name ?? 'manual',
    );
    if (learned) incident.root_cause = 'A deploy changed a default.';
    db.incidents.push(incident);
    fillOther(db, incident, now);
  }
}
