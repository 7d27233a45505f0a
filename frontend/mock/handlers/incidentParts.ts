/** What belongs to one incident: steps, comments, alerts, evidence, hypotheses. */
import { http } from 'msw';
import type { Comment, Hypotheses, Rerun, Verdict } from '../../src/api/types';
import { addStep, changeIncident, db, findIncident } from '../db';
import { uuid } from '../ids';
import { analyse } from '../script';
import { API, bodyOf, json, nothing, paged, problem } from './answers';

const ONE = `${API}/incidents/:ref`;
const idOf = (ref: unknown) => findIncident(String(ref))?.id ?? '';

/** A version of an incident's analysis, the newest if none is named. */
function hypothesesOf(id: string, version: number | null): Hypotheses | undefined {
  const newest = db.hypotheses.get(id) ?? { analysis: null, items: [] };
  const all = [newest, ...(db.earlier.get(id) ?? []).toReversed()];
  const shown = version === null ? newest : all.find(({ analysis }) => analysis?.version === version);
  return shown && { ...shown, versions: all.flatMap(({ analysis }) => analysis ?? []) };
}

export const incidentPartHandlers = [
  http.get(`${ONE}/steps`, ({ params, request }) => paged(db.steps.get(idOf(params.ref)) ?? [], request)),
  http.get(`${ONE}/alerts`, ({ params, request }) => paged(db.alerts.get(idOf(params.ref)) ?? [], request)),
  http.get(`${ONE}/evidence`, ({ params, request }) =>
    paged(db.evidence.get(idOf(params.ref)) ?? [], request),
  ),
  http.get(`${ONE}/hypotheses`, ({ params, request }) => {
    const version = new URL(request.url).searchParams.get('version');
    const found = hypothesesOf(idOf(params.ref), version === null ? null : Number(version));
    return found ? json(found) : problem(404, 'There is no such version.');
  }),
  http.get(`${ONE}/questions`, () =>
    json({ off: 'Questions need a language model, and none is configured.', items: [] }),
  ),
  http.post(`${ONE}/evidence/:eid/run`, ({ params }) => {
    const all = db.evidence.get(idOf(params.ref)) ?? [];
    const fact = all.find((one) => one.id === params.eid);
    if (!fact?.query) return problem(404, 'There is no such evidence.');
    const rerun: Rerun = {
      evidence_id: fact.id,
      query: fact.query,
      was: { value: fact.value, at: fact.end },
      now: { value: fact.baseline, at: new Date().toISOString() },
      series: fact.series ?? [],
      unit: fact.unit,
      reason: null,
    };
    return json(rerun);
  }),
  http.post(`${ONE}/comments`, async ({ params, request }) => {
    const incident = findIncident(String(params.ref));
    if (!incident) return problem(404, 'There is no such incident.');
    const { body } = await bodyOf<{ body: string }>(request);
    const made: Comment = {
      id: uuid(),
      body,
      author_id: db.me.user.id,
      author_name: db.me.user.full_name,
      created_at: new Date().toISOString(),
    };
    addStep(incident.id, 'comment_added', { comment_id: made.id, body }, made.author_name);
    changeIncident(incident, {});
    return json(made, 201);
  }),
  http.post(`${ONE}/hypotheses`, ({ params }) => {
    const incident = findIncident(String(params.ref));
    if (!incident) return problem(404, 'There is no such incident.');
    analyse(incident);
    return json(hypothesesOf(incident.id, null), 202);
  }),
  http.post(`${ONE}/hypotheses/:hid/feedback`, async ({ params, request }) => {
    const { verdict, comment } = await bodyOf<{ verdict: Verdict; comment?: string }>(request);
    const incident = findIncident(String(params.ref));
    const hypothesis = db.hypotheses.get(incident?.id ?? '')?.items.find((one) => one.id === params.hid);
    if (!incident || !hypothesis) return problem(404, 'There is no such hypothesis.');
    hypothesis.feedback = {
      verdict,
      comment: comment ?? null,
      by: db.me.user.full_name,
      at: new Date().toISOString(),
      from_version: null,
    };
    addStep(incident.id, 'feedback_given', { verdict }, db.me.user.full_name);
    return nothing();
  }),
];
