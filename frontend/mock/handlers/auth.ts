/** Sign-in, sessions and invitations. */
import { http } from 'msw';
import type { Invitation, Me, Project, Role } from '../../src/api/types';
import { db } from '../db';
import { uuid } from '../ids';
import { API, bodyOf, json, nothing, paged, problem, signedOut } from './answers';

const tenant = () => ({
  ...db.me.tenant,
  llm_enabled: db.llmEnabled,
  llm_model: db.ai.model,
  llm_host: db.ai.model && 'api.openai.com',
  llm_off: db.llmOff,
});

const WRONG = 'wrong password!';

export const authHandlers = [
  http.get(`${API}/auth/setup`, () => json(db.setup)),
  http.get(`${API}/auth/me`, () => signedOut() ?? json(db.me)),
  http.post(`${API}/auth/login`, async ({ request }) => {
    const { email, password } = await bodyOf<{ email: string; password: string }>(request);
    if (password === WRONG || !email.includes('@')) return problem(401, 'E-mail or password is wrong.');
    return enter();
  }),
  http.post(`${API}/auth/register`, async ({ request }) => {
    const form = await bodyOf<{ email: string; full_name: string; tenant_name: string }>(request);
    if (!form.email.includes('@'))
      return problem(422, 'Some fields are not valid.', {
        errors: [{ field: 'email', message: 'This is not an e-mail address.' }],
      });
    db.me.user = { ...db.me.user, email: form.email, full_name: form.full_name };
    db.me.tenant.name = form.tenant_name;
    db.setup.can_register = false;
    db.signedIn = true;
    const { user, tenant, project, csrf_token } = db.me;
    return json({ user, tenant, project, csrf_token }, 201);
  }),
  http.post(`${API}/auth/link`, async ({ request }) => {
    const { token } = await bodyOf<{ token: string }>(request);
    return token === 'used' ? problem(401, 'This link was used already.') : enter();
  }),
  http.post(`${API}/auth/invitations/accept`, () => enter()),
  http.post(`${API}/auth/logout`, () => {
    db.signedIn = false;
    return nothing();
  }),
  http.post(`${API}/auth/refresh`, () => signedOut() ?? nothing()),
  http.post(`${API}/auth/switch-project`, async ({ request }) => {
    const { project_id } = await bodyOf<{ project_id: string }>(request);
    const project = db.projects.find((one) => one.id === project_id);
    if (!project) return problem(404, 'There is no such project.');
    db.me = { ...db.me, role: project.role, project: withoutRole(project) } satisfies Me;
    return json(db.me);
  }),
  http.get(`${API}/tenant`, () => signedOut() ?? json(tenant())),
  http.patch(`${API}/tenant`, async ({ request }) => {
    db.llmEnabled = (await bodyOf<{ llm_enabled: boolean }>(request)).llm_enabled;
    return json(tenant());
  }),
  http.post(`${API}/auth/password`, async ({ request }) => {
    const { old_password } = await bodyOf<{ old_password: string }>(request);
    if (old_password === WRONG)
      return problem(422, 'Some fields are not valid.', {
        errors: [{ field: 'old_password', message: 'is not your password' }],
      });
    db.sessions = db.sessions.filter((one) => one.current);
    return nothing();
  }),
  http.get(`${API}/auth/sessions`, ({ request }) => paged(db.sessions, request)),
  http.delete(`${API}/auth/sessions/:id`, ({ params }) => {
    db.sessions = db.sessions.filter((one) => one.id !== params.id);
    return nothing();
  }),
  http.get(`${API}/auth/invitations`, ({ request }) => paged(db.invitations, request)),
  http.post(`${API}/auth/invitations`, async ({ request }) => {
    const { email, role } = await bodyOf<{ email: string; role: Role }>(request);
    if (db.members.some((one) => one.email === email)) return problem(409, `${email} is a member already.`);
    const made: Invitation = {
      id: uuid(),
      email,
      role,
      expires_at: new Date(Date.now() + 7 * 86_400_000).toISOString(),
    };
    db.invitations.push(made);
    return json({ ...made, link: `https://sre.shop.example/invite#${made.id.slice(-12)}` }, 201);
  }),
  http.delete(`${API}/auth/invitations/:id`, ({ params }) => {
    db.invitations = db.invitations.filter((one) => one.id !== params.id);
    return nothing();
  }),
  http.get(`${API}/audit`, ({ request }) => paged(db.audit, request)),
];

function enter() {
  db.signedIn = true;
  const { user, projects, csrf_token } = db.me;
  return json({ user, projects, csrf_token });
}

function withoutRole({ id, name, created_at }: Project): Project {
  return { id, name, created_at };
}
