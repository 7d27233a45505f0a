/** Who works here, and with which keys. */
import type { ApiKey, AuditEntry, Me, Member, Session } from '../../src/api/types';
import { uuid } from '../ids';

const DAY = 86_400_000;

export function people(now: number) {
  const at = (ago: number) => new Date(now - ago).toISOString();
  const members: Member[] = [
    ['Robin Vale', 'robin@shop.example', 'owner'],
    ['Ana Ruiz', 'ana@shop.example', 'admin'],
    ['Jun Tanaka', 'jun@shop.example', 'engineer'],
    ['Priya Nair', 'priya@shop.example', 'engineer'],
    ['Status board', 'board@shop.example', 'viewer'],
  ].map(([full_name = '', email = '', role], index) => ({
    user_id: uuid(),
    full_name,
    email,
    role: role as Member['role'],
    created_at: at((90 - index * 11) * DAY),
  }));
  const [robin] = members;
  if (!robin) throw new Error('the mock has no owner');
  const projects = [
    { id: uuid(), name: 'Production', role: 'owner' as const, created_at: at(90 * DAY) },
    { id: uuid(), name: 'Staging', role: 'owner' as const, created_at: at(41 * DAY) },
  ];
  const [production] = projects;
  if (!production) throw new Error('the mock has no project');
  const me: Me = {
    user: { id: robin.user_id, email: robin.email, full_name: robin.full_name },
    tenant: { id: uuid(), name: 'Shop' },
    project: { id: production.id, name: production.name, created_at: production.created_at },
    role: 'owner',
    projects: projects.map(({ id, name, role }) => ({ id, name, role })),
    csrf_token: 'mock-csrf',
    public_url: location.origin,
  };
  return { members, projects, me, apiKeys: apiKeys(at), sessions: sessions(at), audit: audit(at, members) };
}

function apiKeys(at: (ago: number) => string): ApiKey[] {
  return [
    {
      id: uuid(),
      name: 'deploy pipeline',
      role: 'engineer',
      prefix: 'src_3f9k',
      created_at: at(60 * DAY),
      expires_at: null,
      last_used_at: at(11 * 60_000),
    },
    {
      id: uuid(),
      name: 'wall display',
      role: 'viewer',
      prefix: 'src_a81q',
      created_at: at(20 * DAY),
      expires_at: at(-40 * DAY),
      last_used_at: null,
    },
  ];
}

function sessions(at: (ago: number) => string): Session[] {
  const agents = [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Version/19.1 Mobile Safari/604.1',
  ];
  return agents.map((user_agent, index) => ({
    id: uuid(),
    user_agent,
    remote: index === 0 ? '10.0.3.14' : '198.51.100.7',
    created_at: at((index + 1) * DAY),
    last_used_at: at(index * 3_600_000),
    expires_at: at(-6 * DAY),
    current: index === 0,
  }));
}

function audit(at: (ago: number) => string, members: Member[]): AuditEntry[] {
  const rows: [actor: number | null, action: string, target: string, result?: string][] = [
    [0, 'session.opened', 'Robin Vale'],
    [1, 'integration.token_rotated', 'Alertmanager prod-eu'],
    [1, 'api_key.created', 'wall display'],
    [0, 'member.role_changed', 'Priya Nair'],
    [3, 'invitation.accepted', 'priya@shop.example'],
    [null, 'user.created', 'Robin Vale'],
    [1, 'session.opened', 'Ana Ruiz', 'refused'],
    [0, 'member.added', `user:${members[2]?.user_id}`],
    [1, 'session.closed', `session:${uuid()}`],
  ];
  return rows.map(([actor, action, target, result = 'ok'], index) => ({
    id: uuid(),
    created_at: at((index * 7 + 1) * 3_600_000),
    actor: members[actor ?? -1]?.full_name ?? null,
    actor_id: actor === null ? 'operator' : `user:${members[actor]?.user_id}`,
    action,
    target,
    object: target,
    result,
    remote: '10.0.3.14',
    request_id: uuid(),
    detail: {},
  }));
}
