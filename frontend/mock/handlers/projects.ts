/** Projects, members and API keys. */
import { http } from 'msw';
import type { ApiKey, Role } from '../../src/api/types';
import { db } from '../db';
import { uuid } from '../ids';
import { API, bodyOf, json, nothing, paged, problem } from './answers';

const PROJECT = `${API}/projects/:project`;

export const projectHandlers = [
  http.get(`${API}/projects`, ({ request }) => paged(db.projects, request)),
  http.post(`${API}/projects`, async ({ request }) => {
    const { name } = await bodyOf<{ name: string }>(request);
    const made = { id: uuid(), name, role: 'owner' as const, created_at: new Date().toISOString() };
    db.projects.push(made);
    namesChanged();
    return json(made, 201);
  }),
  http.patch(PROJECT, async ({ request, params }) => {
    const { name } = await bodyOf<{ name: string }>(request);
    const project = db.projects.find((one) => one.id === params.project);
    if (!project) return problem(404, 'There is no such project.');
    project.name = name;
    namesChanged();
    return json(project);
  }),
  http.delete(PROJECT, ({ params }) => {
    if (params.project === db.me.project.id) return problem(409, 'Switch to another project first.');
    db.projects = db.projects.filter((one) => one.id !== params.project);
    namesChanged();
    return nothing();
  }),
  http.get(`${PROJECT}/members`, ({ request }) => paged(db.members, request)),
  http.patch(`${PROJECT}/members/:user`, async ({ request, params }) => {
    const { role } = await bodyOf<{ role: Role }>(request);
    const member = db.members.find((one) => one.user_id === params.user);
    if (!member) return problem(404, 'There is no such member.');
    if (member.role === 'owner' && db.members.filter((one) => one.role === 'owner').length === 1)
      return problem(409, 'A project keeps at least one owner.');
    member.role = role;
    return json(member);
  }),
  http.delete(`${PROJECT}/members/:user`, ({ params }) => {
    db.members = db.members.filter((one) => one.user_id !== params.user);
    return nothing();
  }),
  http.get(`${PROJECT}/api-keys`, ({ request }) => paged(db.apiKeys, request)),
  http.post(`${PROJECT}/api-keys`, async ({ request }) => {
    const form = await bodyOf<{ name: string; role: Role; expires_at?: string }>(request);
    const made: ApiKey = {
      id: uuid(),
      name: form.name,
      role: form.role,
      prefix: 'src_77ma',
      created_at: new Date().toISOString(),
      expires_at: form.expires_at ?? null,
      last_used_at: null,
    };
    db.apiKeys.push(made);
    return json({ ...made, key: 'src_77maQ2hV0cX4nT8bL6yR1sK9dF3gJ5wZ' }, 201);
  }),
  http.delete(`${PROJECT}/api-keys/:key`, ({ params }) => {
    db.apiKeys = db.apiKeys.filter((one) => one.id !== params.key);
    return nothing();
  }),
];

function namesChanged(): void {
  const current = db.projects.find((one) => one.id === db.me.project.id);
  db.me = {
    ...db.me,
    projects: db.projects.map(({ id, name, role }) => ({ id, name, role })),
    project: current ? { id: current.id, name: current.name, created_at: current.created_at } : db.me.project,
  };
}
