/** Incidents that are hard on a page: far too long texts, directions that flip, many alerts, fires after the end. */
import type { Db } from '../db';
import { addAlerts, HOUR, incidentOf, MINUTE, type Plan } from './incident';
import { fillInconclusive } from './inconclusive';

const FLIP = '\u202e';
const LONG_TITLE = `${FLIP}gnirif ${'disk_pressure_on_node_'.repeat(30)}${' and more of it'.repeat(35)}`;
const LONG_SERVICE = `${FLIP}${'a-very-long-service-name-'.repeat(8)}`.slice(0, 200);

const PLANS: Omit<Plan, 'at'>[] = [
  {
    number: 203,
    title: 'queue: fired again after it was resolved',
    service: 'queue',
    severity: 'high',
    state: 'investigating',
    alerts: 1,
    extra: { acknowledged_at: null, acknowledged_by: null, assigned_to: null, assigned_to_name: null },
  },
  {
    number: 202,
    title: LONG_TITLE,
    service: LONG_SERVICE,
    severity: 'critical',
    state: 'acknowledged',
    alerts: 42,
    sentAfter: 12 * MINUTE,
    extra: { snoozed_until: '2099-01-01T09:00:00Z', stale: true, flapping: true },
  },
  {
    number: 201,
    title: 'queue: still failing',
    service: 'queue',
    severity: 'high',
    state: 'resolved',
    alerts: 2,
  },
];

export function oddOnes(db: Db, now: number): void {
  for (const plan of PLANS) {
    const owner = db.members[0] && { id: db.members[0].user_id, name: db.members[0].full_name };
    const incident = incidentOf({ ...plan, at: now - HOUR, owner }, db.me.project.id, 'Alertmanager prod-eu');
    if (plan.number === 201) incident.open_alert_count = 1;
    db.incidents.push(incident);
    addAlerts(
      db,
      incident,
      Array.from({ length: plan.alerts }, (_, index) => `Node ${index} is full.`),
    );
    fillInconclusive(db, incident, now);
  }
}
