/** What happens by itself in the mock: analyses end, alerts arrive, a new integration hears its first delivery. */
import type { Incident, Integration } from '../src/api/types';
import { type Analysed, addStep, changeIncident, db, emit } from './db';
import { uuid } from './ids';
import { deliveryOf } from './seed/hooks';
import { addAlerts, incidentOf } from './seed/incident';
import { fillInconclusive } from './seed/inconclusive';

/** Waits; tests replace it to make time pass at once. */
export const pace = { wait: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)) };

/** Runs an analysis that, without connected metrics, honestly ends with too little evidence. */
export function analyse(incident: Incident): void {
  const before = db.hypotheses.get(incident.id);
  const version = (before?.analysis?.version ?? 0) + 1;
  const started = new Date().toISOString();
  if (before?.analysis) db.earlier.set(incident.id, [...(db.earlier.get(incident.id) ?? []), before]);
  const running: Analysed = {
    items: before?.items ?? [],
    analysis: {
      id: uuid(),
      version,
      status: 'running',
      engine: 'statistical',
      model: null,
      started_at: started,
      completed_at: null,
      reason: null,
      checked: [],
      tokens: null,
      cost_usd: null,
      cost_estimated: false,
      onset_at: null,
      changed: null,
    },
  };
  db.hypotheses.set(incident.id, running);
  incident.analysis = { status: 'running', claim: null, confidence_score: null, suspected_service: null };
  void pace.wait(3500).then(() => finish(incident, before, version, started));
}

function finish(incident: Incident, before: Analysed | undefined, version: number, started: string): void {
  const best = before?.items[0];
  const status = best ? 'completed' : 'inconclusive';
  incident.analysis = {
    status,
    claim: best?.claim ?? null,
    confidence_score: best?.confidence_score ?? null,
    suspected_service: best?.suspected_service ?? null,
  };
  if (!before) fillInconclusive(db, incident, Date.now());
  const now = db.hypotheses.get(incident.id);
  if (now?.analysis)
    now.analysis = {
      ...now.analysis,
      ...(before?.analysis && { checked: before.analysis.checked }),
      version,
      status,
      started_at: started,
      completed_at: new Date().toISOString(),
      reason: best ? null : 'No metrics of this service could be asked for.',
    };
  addStep(incident.id, 'hypotheses_generated', { count: before?.items.length ?? 0 }, null, Date.now(), 3400);
  emit('hypothesis.generated', { incident_id: incident.id });
}

/** The story of an evening: an incident opens, is explained, and another one resolves itself. */
export async function playStory(): Promise<void> {
  await pace.wait(12_000);
  const made = open('orders-db: replication is 94 s behind (limit 30 s)', 'orders-db', 'high');
  await pace.wait(1500);
  analyse(made);
  await pace.wait(20_000);
  const cart = db.incidents.find((one) => one.service_name === 'cart' && one.open);
  if (!cart) return;
  addStep(cart.id, 'alert_resolved', { name: cart.labels.alertname });
  addStep(cart.id, 'state_changed', { from: cart.state, to: 'resolved' });
  emit('alert.resolved', { incident_id: cart.id });
  changeIncident(cart, {
    state: 'resolved',
    open: false,
    open_alert_count: 0,
    resolved_at: new Date().toISOString(),
  });
}

/** A first delivery with a wrong token, then one that works, as happens to everybody. */
export function wireUp(hook: Integration): void {
  void pace
    .wait(5000)
    .then(() => receive(hook, true))
    .then(() => pace.wait(6000))
    .then(() => {
      receive(hook, false);
      open('SRECopilotTest: the first alert arrived', null, 'info', hook);
    });
}

function receive(hook: Integration, refused: boolean, incident: string | null = null): void {
  db.deliveries.push(deliveryOf(hook, { at: Date.now(), incident, alerts: 1, refused }));
  hook.last_delivery_at = new Date().toISOString();
  hook.last_delivery_status = refused ? 'rejected' : 'accepted';
}

function open(
  title: string,
  service: string | null,
  severity: Incident['severity'],
  hook = db.integrations[0],
): Incident {
  const made = incidentOf(
    {
      number: Math.max(0, ...db.incidents.map((one) => one.number)) + 1,
      title,
      service,
      severity,
      state: 'detected',
      at: Date.now(),
      alerts: 1,
    },
    db.me.project.id,
    hook?.name ?? 'manual',
  );
  db.incidents.unshift(made);
  addAlerts(db, made, [title]);
  addStep(made.id, 'alert_received', { name: made.labels.alertname }, null, Date.now(), 3);
  addStep(made.id, 'incident_created', {}, null, Date.now(), 9);
  if (hook) db.deliveries.push(deliveryOf(hook, { at: Date.now(), incident: made.id, alerts: 1 }));
  emit('incident.created', { ...made });
  emit('alert.fired', { incident_id: made.id });
  return made;
}
