/** Notification channels, and what they were told. */
import { http } from 'msw';
import type { Channel, ChannelChange, NewChannel } from '../../src/api/types';
import { db, findIncident } from '../db';
import { channelOf, notificationOf } from '../seed/channels';
import { API, bodyOf, json, nothing, paged, problem } from './answers';

const CHANNELS = `${API}/projects/:project/notification-channels`;
const ONE = `${CHANNELS}/:id`;
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

export const notificationHandlers = [
  http.get(CHANNELS, ({ request, params }) =>
    paged(
      db.channels.filter((one) => one.project_id === params.project),
      request,
    ),
  ),
  http.post(CHANNELS, async ({ request, params }) => {
    const form = await bodyOf<NewChannel>(request);
    const refused = refusal(form);
    if (refused) return refused;
    const { kind, name, url, routing_key, min_severity, services, tells, critical_faults } = form;
    const made = channelOf({
      kind,
      name,
      ...(min_severity && { min_severity }),
      ...(services && { services }),
      ...(tells && { tells }),
      ...(typeof critical_faults === 'boolean' && { critical_faults }),
      address: masked(url ?? 'https://events.pagerduty.com', routing_key),
      project_id: String(params.project),
    });
    db.channels.push(made);
    return json(form.kind === 'webhook' ? { ...made, signing_secret: SECRET } : made, 201);
  }),
  http.get(ONE, ({ params }) => {
    const channel = find(params.id);
    return channel ? json(channel) : absent();
  }),
  http.patch(ONE, async ({ request, params }) => {
    const channel = find(params.id);
    if (!channel) return absent();
    const form = await bodyOf<ChannelChange>(request);
    const refused = refusal(form);
    if (refused) return refused;
    const { url, routing_key, ...rest } = form;
    Object.assign(channel, rest, { updated_at: new Date().toISOString() });
    if (url || routing_key)
      channel.address = masked(url ?? `https://${channel.address.split('/')[0]}`, routing_key);
    const worked = channel.health.last_success_at ? 'ok' : 'untried';
    if (form.enabled === false) dropWaiting(channel);
    if (form.enabled !== undefined) channel.health.status = form.enabled ? worked : 'off';
    return json(channel);
  }),
  http.delete(ONE, ({ params }) => {
    db.channels = db.channels.filter((one) => one.id !== params.id);
    db.notifications = db.notifications.filter((one) => one.channel_id !== params.id);
    return nothing();
  }),
  http.post(`${ONE}/test`, ({ params }) => {
    const channel = find(params.id);
    return channel ? json(tried(channel)) : absent();
  }),
  http.post(`${ONE}/rotate-secret`, ({ params }) => {
    const channel = find(params.id);
    if (!channel) return absent();
    if (channel.kind !== 'webhook') return problem(409, `a channel of kind ${channel.kind} signs nothing`);
    return json({ ...channel, signing_secret: SECRET });
  }),
  http.get(`${ONE}/notifications`, ({ params, request }) =>
    paged(
      newestFirst((one) => one.channel_id === params.id),
      request,
    ),
  ),
  http.get(`${API}/incidents/:ref/notifications`, ({ params, request }) => {
    const id = findIncident(String(params.ref))?.id;
    return paged(
      newestFirst((one) => one.incident_id === id),
      request,
    );
  }),
];

/** Sends a test that arrives, unless the channel fails. */
function tried(channel: Channel) {
  const { health } = channel;
  const ok = health.status !== 'failing';
  const detail = ok ? 'it was taken' : (health.last_error ?? '');
  const now = Date.now();
  if (ok) {
    health.last_success_at = new Date(now).toISOString();
    if (channel.enabled) health.status = 'ok';
  }
  db.notifications.push(
    notificationOf(
      channel,
      {
        what: 'test',
        title: 'A test of SRE Copilot',
        ...(!ok && { status: 'failed' as const, detail }),
      },
      now,
    ),
  );
  return { ok, status_code: ok ? 200 : 503, detail, took_ms: 213.4 };
}

function refusal(form: Pick<ChannelChange, 'url'>) {
  if (!form.url?.includes('169.254.')) return undefined;
  return problem(422, 'Some fields are not valid.', {
    errors: [{ field: 'url', message: 'this address is not allowed' }],
  });
}

/** What waits is not sent once a channel is off. */
function dropWaiting(channel: Channel): void {
  channel.health.waiting = 0;
  for (const one of db.notifications)
    if (one.channel_id === channel.id && one.status === 'waiting')
      Object.assign(one, { status: 'dropped', detail: 'the channel was turned off', next_attempt_at: null });
}

function newestFirst(which: (one: (typeof db.notifications)[number]) => boolean) {
  return db.notifications
    .filter(which)
    .toSorted((a, b) => b.created_at.localeCompare(a.created_at) || b.id.localeCompare(a.id));
}

/** Host and the last four characters. */
function masked(url: string, key?: string | null): string {
  return `${new URL(url).host}/…${(key ?? url).slice(-4)}`;
}

function find(id: unknown): Channel | undefined {
  return db.channels.find((one) => one.id === id);
}

function absent() {
  return problem(404, 'There is no such channel.');
}
