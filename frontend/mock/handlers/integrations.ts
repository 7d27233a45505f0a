/** Integrations and the receipts of what they sent. */
import { http } from 'msw';
import type { Integration, IntegrationKind } from '../../src/api/types';
import { db } from '../db';
import { uuid } from '../ids';
import { wireUp } from '../script';
import { integrationOf, snippetOf } from '../seed/hooks';
import { API, bodyOf, json, nothing, paged, problem } from './answers';

const HOOKS = `${API}/projects/:project/integrations`;
const DELIVERIES = `${API}/projects/:project/deliveries`;
const TOKEN = 'whs_q8Zt3vLr0XbN5mYc7KpD2sWf';

export const integrationHandlers = [
  http.get(HOOKS, ({ request }) => paged(db.integrations, request)),
  http.post(HOOKS, async ({ request }) => {
    const form = await bodyOf<{ kind: IntegrationKind; name: string; url?: string }>(request);
    if (db.integrations.some((one) => one.name === form.name))
      return problem(422, 'Some fields are not valid.', {
        errors: [{ field: 'name', message: 'Another integration has this name.' }],
      });
    const made = integrationOf(form.kind, form.name, form.url ?? null, Date.now());
    db.integrations.push(made);
    wireUp(made);
    return json({ ...made, token: TOKEN, snippet: snippetOf(made.kind, made.webhook_url, TOKEN) }, 201);
  }),
  http.get(`${HOOKS}/:id`, ({ params }) => {
    const hook = find(params.id);
    return hook ? json(hook) : absent();
  }),
  http.patch(`${HOOKS}/:id`, async ({ request, params }) => {
    const hook = find(params.id);
    if (!hook) return absent();
    Object.assign(hook, await bodyOf<Partial<Integration>>(request));
    return json(hook);
  }),
  http.delete(`${HOOKS}/:id`, ({ params }) => {
    db.integrations = db.integrations.filter((one) => one.id !== params.id);
    return nothing();
  }),
  http.post(`${HOOKS}/:id/test`, ({ params }) => {
    const hook = find(params.id);
    if (!hook) return absent();
    if (!hook.url)
      return json({ ok: false, detail: 'No address is set, so there is nothing to ask.', latency_ms: 0 });
    return json({
      ok: true,
      detail: `${hook.url} answered the query up with 41 series.`,
      latency_ms: 18.705595,
    });
  }),
  http.post(`${HOOKS}/:id/rotate-token`, ({ params }) => {
    const hook = find(params.id);
    if (!hook) return absent();
    return json({
      token: TOKEN,
      snippet: snippetOf(hook.kind, hook.webhook_url, TOKEN),
      old_token_expires_at: new Date(Date.now() + 86_400_000).toISOString(),
    });
  }),
  http.get(DELIVERIES, ({ request }) => {
    const hook = new URL(request.url).searchParams.get('integration_id');
    const items = db.deliveries
      .filter((one) => !hook || one.integration_id === hook)
      .sort((a, b) => b.received_at.localeCompare(a.received_at));
    return paged(items, request);
  }),
  http.get(`${DELIVERIES}/:id`, ({ params }) => {
    const delivery = db.deliveries.find((one) => one.id === params.id);
    return delivery ? json(delivery) : problem(404, 'There is no such delivery.');
  }),
  http.post(`${DELIVERIES}/:id/replay`, ({ params }) => {
    const old = db.deliveries.find((one) => one.id === params.id);
    if (!old) return problem(404, 'There is no such delivery.');
    const made = {
      ...old,
      id: uuid(),
      replay_of: old.id,
      received_at: new Date().toISOString(),
      outcomes: { repeated: old.received },
      results: old.results.map((one) => ({ ...one, outcome: 'repeated' as const })),
    };
    db.deliveries.push(made);
    return json(made);
  }),
];

function find(id: unknown): Integration | undefined {
  return db.integrations.find((one) => one.id === id);
}

function absent() {
  return problem(404, 'There is no such integration.');
}
