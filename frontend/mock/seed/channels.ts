/** Who is told of the shop's incidents: one channel that works, one that fails, one that is off. */
import type { Channel, Incident, Notification } from '../../src/api/types';
import { TELLS } from '../../src/api/types';
import type { Db } from '../db';
import { uuid } from '../ids';
import { HOUR, MINUTE } from './incident';

const REFUSED = 'it answered 503';

export function channelOf(plan: Partial<Channel> & Pick<Channel, 'kind' | 'name' | 'address'>): Channel {
  const now = new Date().toISOString();
  return {
    id: uuid(),
    project_id: '',
    enabled: true,
    min_severity: 'medium',
    services: [],
    tells: TELLS.filter((one) => one !== 'acknowledged'),
    critical_faults: true,
    health: { status: 'untried', last_success_at: null, failing_since: null, last_error: null, waiting: 0 },
    created_at: now,
    updated_at: now,
    ...plan,
  };
}

export function notificationOf(
  channel: Channel,
  about: Pick<Notification, 'what' | 'title'> & Partial<Notification>,
  at: number,
): Notification {
  const sent = (about.status ?? 'sent') === 'sent';
  return {
    id: uuid(),
    channel_id: channel.id,
    channel_name: channel.name,
    channel_kind: channel.kind,
    incident_id: null,
    incident_numbers: [],
    status: 'sent',
    attempts: 1,
    last_status_code: sent ? 200 : 503,
    detail: sent ? 'it was taken' : 'it answered 503',
    created_at: new Date(at).toISOString(),
    sent_at: sent ? new Date(at + 700).toISOString() : null,
    next_attempt_at: null,
    ...about,
  };
}

/** The same on every run, so that an address can name one. */
const idOf = (n: number) => `019ac000-0000-7000-8000-0000000c000${n}`;

export function fillChannels(db: Db, now: number): void {
  const at = (ago: number) => new Date(now - ago).toISOString();
  const well = { status: 'ok' as const, failing_since: null, last_error: null, waiting: 0 };
  const ops = channelOf({
    id: idOf(1),
    kind: 'pagerduty',
    name: 'PagerDuty on call',
    address: 'events.pagerduty.com/…9f3c',
    min_severity: 'high',
    health: { ...well, last_success_at: at(2 * MINUTE + 20_000) },
  });
  const slack = channelOf({
    id: idOf(2),
    kind: 'slack',
    name: '#ops',
    address: 'hooks.slack.com/…x7Qa',
    health: {
      status: 'failing',
      last_success_at: at(2 * HOUR),
      failing_since: at(40 * MINUTE + 20_000),
      last_error: REFUSED,
      waiting: 12,
    },
  });
  const tickets = channelOf({
    id: idOf(3),
    kind: 'webhook',
    name: 'Ticket system of the platform team',
    address: 'tickets.shop.example/…ents',
    enabled: false,
    services: ['checkout-api', 'payments', 'orders-db'],
    health: { ...well, status: 'off', last_success_at: at(26 * HOUR) },
  });
  db.channels = [ops, slack, tickets].map((one) => ({ ...one, project_id: db.me.project.id }));
  const past = { incident_numbers: [131, 130, 129, 128, 127], what: 'digest' as const };
  db.notifications = [
    notificationOf(tickets, { what: 'test', title: 'A test of SRE Copilot' }, now - 26 * HOUR),
    notificationOf(slack, { ...past, title: '5 incidents opened: 1 critical, 4 high' }, now - 2 * HOUR),
  ];
  const checkout = db.incidents.find((one) => one.number === 142);
  if (checkout) tellOf(db, checkout, ops, slack, now);
}

function tellOf(db: Db, incident: Incident, ops: Channel, slack: Channel, now: number): void {
  const about = { incident_id: incident.id, incident_numbers: [incident.number], title: incident.title };
  const opened = Date.parse(incident.detected_at);
  const waiting = {
    status: 'waiting' as const,
    attempts: 4,
    detail: REFUSED,
    next_attempt_at: new Date(now + 4 * MINUTE).toISOString(),
  };
  db.notifications.push(
    notificationOf(
      slack,
      { ...about, what: 'opened', status: 'failed', attempts: 9, detail: REFUSED },
      opened + 900,
    ),
    notificationOf(ops, { ...about, what: 'opened' }, opened + 900),
    notificationOf(slack, { ...about, what: 'cause', ...waiting }, now - 2 * MINUTE),
    notificationOf(ops, { ...about, what: 'cause' }, now - 2 * MINUTE),
  );
}
