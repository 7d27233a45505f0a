/** The incident list, and what people do to an incident. */
import { http } from 'msw';
import { type Incident, SEVERITIES, type Severity, type State } from '../../src/api/types';
import { MOVES } from '../../src/components/moves';
import { addStep, changeIncident, db, emit, findIncident, incidentsHere } from '../db';
import { analyse } from '../script';
import { incidentOf } from '../seed/incident';
import { API, bodyOf, json, paged, problem, signedOut } from './answers';

const ONE = `${API}/incidents/:ref`;

export const incidentHandlers = [
  http.get(`${API}/incidents/summary`, () => signedOut() ?? json(summary())),
  http.get(`${API}/incidents`, ({ request }) => signedOut() ?? paged(matching(request), request)),
  http.post(`${API}/incidents`, async ({ request }) => {
    const form = await bodyOf<{
      title: string;
      description?: string;
      service_name?: string;
      severity?: Severity;
    }>(request);
    const made = incidentOf(
      {
        number: Math.max(0, ...incidentsHere().map((one) => one.number)) + 1,
        title: form.title,
        service: form.service_name ?? null,
        severity: form.severity ?? 'medium',
        state: 'detected',
        at: Date.now(),
        alerts: 0,
        extra: { description: form.description ?? '', labels: {} },
      },
      db.me.project.id,
      'manual',
    );
    db.incidents.unshift(made);
    addStep(made.id, 'incident_created', {}, db.me.user.full_name);
    emit('incident.created', { ...made });
    analyse(made);
    return json(made, 201);
  }),
  http.get(ONE, ({ params }) => {
    const incident = findIncident(String(params.ref));
    return incident ? json(incident) : problem(404, 'There is no such incident.');
  }),
  http.patch(ONE, async ({ request, params }) => {
    const incident = findIncident(String(params.ref));
    if (!incident) return problem(404, 'There is no such incident.');
    const change = await bodyOf<Partial<Incident>>(request);
    if (change.assigned_to !== undefined) {
      const member = db.members.find((one) => one.user_id === change.assigned_to);
      change.assigned_to_name = member?.full_name ?? null;
      addStep(incident.id, 'assigned', { name: member?.full_name }, db.me.user.full_name);
    }
    if (change.severity)
      addStep(incident.id, 'severity_changed', { to: change.severity }, db.me.user.full_name);
    return json(changeIncident(incident, change));
  }),
  http.patch(`${ONE}/state`, async ({ request, params }) => {
    const incident = findIncident(String(params.ref));
    if (!incident) return problem(404, 'There is no such incident.');
    const { state, comment } = await bodyOf<{ state: State; comment?: string }>(request);
    const legal = [...MOVES[incident.state]];
    if (!legal.includes(state))
      return problem(409, `It is ${incident.state}, so it cannot become ${state}.`, { legal });
    addStep(
      incident.id,
      'state_changed',
      { from: incident.state, to: state, ...(comment && { comment }) },
      db.me.user.full_name,
    );
    return json(changeIncident(incident, moved(incident, state)));
  }),
  http.post(`${ONE}/snooze`, async ({ request, params }) => {
    const incident = findIncident(String(params.ref));
    if (!incident) return problem(404, 'There is no such incident.');
    const { until, for_minutes } = await bodyOf<{ until?: string; for_minutes?: number }>(request);
    if (!incident.open) return problem(409, `It is ${incident.state}; only what is open can be put off.`);
    const at = for_minutes ? Date.now() + for_minutes * 60_000 : Date.parse(until ?? '');
    return json(snoozed(incident, new Date(at).toISOString()));
  }),
  http.delete(`${ONE}/snooze`, ({ params }) => {
    const incident = findIncident(String(params.ref));
    return incident ? json(snoozed(incident, null)) : problem(404, 'There is no such incident.');
  }),
  http.post(`${ONE}/merge`, async ({ request, params }) => {
    const incident = findIncident(String(params.ref));
    const { into } = await bodyOf<{ into: string }>(request);
    const target = findIncident(into);
    if (!incident || !target) return problem(404, 'There is no such incident.');
    target.alert_count += incident.alert_count;
    addStep(target.id, 'merged', { from: incident.id, number: incident.number }, db.me.user.full_name);
    db.alerts.set(
      target.id,
      [incident, target].flatMap((one) => db.alerts.get(one.id) ?? []),
    );
    db.alerts.set(incident.id, []);
    changeIncident(incident, {
      ...moved(incident, 'resolved'),
      merged_into: target.id,
      open_alert_count: 0,
    });
    return json(changeIncident(target, {}));
  }),
];

function snoozed(incident: Incident, until: string | null): Incident {
  if (until) addStep(incident.id, 'snoozed', { until }, db.me.user.full_name);
  else if (incident.snoozed_until)
    addStep(incident.id, 'snooze_ended', { why: 'woken' }, db.me.user.full_name);
  return until === incident.snoozed_until ? incident : changeIncident(incident, { snoozed_until: until });
}

function moved(incident: Incident, state: State): Partial<Incident> {
  const now = new Date().toISOString();
  const open = state !== 'resolved' && state !== 'learned';
  const stamp = `${state}_at` as const;
  return {
    state,
    open,
    ...(!open && { snoozed_until: null }),
    ...(state === 'investigating' && { resolved_at: null }),
    ...(state === 'acknowledged' && { acknowledged_by: db.me.user.full_name }),
    ...(stamp !== 'detected_at' && stamp !== 'inconclusive_at' && { [stamp]: incident[stamp] ?? now }),
  };
}

function matching(request: Request): Incident[] {
  const params = new URL(request.url).searchParams;
  const states = params.getAll('state');
  const severities = params.getAll('severity');
  const services = params.getAll('service_name');
  const whose = params.get('assigned_to');
  const labels = params.getAll('label').map((one) => one.split(/=(.*)/s));
  const open = params.get('open');
  const marks = params.getAll('is');
  const stillFiring = params.get('still_firing');
  const from = params.get('from') ?? '';
  const to = params.get('to') ?? '9';
  const words = (params.get('q') ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const found = incidentsHere().filter(
    (one) =>
      (states.length === 0 || states.includes(one.state)) &&
      (severities.length === 0 || severities.includes(one.severity)) &&
      (services.length === 0 || services.includes(one.service_name ?? '')) &&
      (whose === null || isOf(one, whose)) &&
      labels.every(([name = '', value]) => one.labels[name] === value) &&
      one.detected_at >= from &&
      one.detected_at < to &&
      (open === null || String(one.open) === open) &&
      marks.every((mark) => isMarked(one, mark)) &&
      (stillFiring === null || (!one.open && one.open_alert_count > 0)) &&
      words.every((word) =>
        `${one.title} ${one.service_name} inc-${one.number}`.toLowerCase().includes(word),
      ),
  );
  const newest = (a: Incident, b: Incident) => b.detected_at.localeCompare(a.detected_at);
  if (params.get('sort') !== 'needs_me') return found.sort(newest);
  return found.sort((a, b) => need(a) - need(b) || newest(a, b));
}

function isOf(one: Incident, whose: string): boolean {
  if (whose === 'none') return one.assigned_to === null;
  return one.assigned_to === (whose === 'me' ? db.me.user.id : whose);
}

function isMarked(one: Incident, mark: string): boolean {
  if (mark === 'snoozed') return one.snoozed_until !== null;
  return mark === 'stale' ? one.stale : one.flapping;
}

/** Unacknowledged first, then the severe; what is put off after the others that are open. */
function need(one: Incident): number {
  const group = one.snoozed_until ? 50 : one.state === 'detected' ? 0 : 10;
  return (one.open ? group : 100) + SEVERITIES.indexOf(one.severity);
}

function summary() {
  const open = incidentsHere().filter((one) => one.open);
  const count = (severity: Severity) => open.filter((one) => one.severity === severity).length;
  const waits = incidentsHere()
    .flatMap((one) =>
      one.acknowledged_at ? Date.parse(one.acknowledged_at) - Date.parse(one.detected_at) : [],
    )
    .sort((a, b) => a - b);
  return {
    open: open.length,
    still_firing: incidentsHere().filter((one) => !one.open && one.open_alert_count > 0).length,
    unacknowledged: open.filter((one) => one.state === 'detected').length,
    open_by_severity: Object.fromEntries(SEVERITIES.map((one) => [one, count(one)])),
    mtta_median_s: waits.length > 0 ? (waits[Math.floor(waits.length / 2)] ?? 0) / 1000 : null,
    mtta_count: waits.length,
    server_time: new Date().toISOString(),
  };
}
