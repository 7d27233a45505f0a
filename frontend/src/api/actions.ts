/** Every write of the API, and the one hook that runs them. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { newIdempotencyKey, patch, post, postEvents, remove } from './client';
import type { Endpoint } from './endpoints';
import type {
  ApiKey,
  Channel,
  ChannelChange,
  ChannelTest,
  Comment,
  DeliveryDetail,
  Hypotheses,
  Incident,
  Integration,
  IntegrationKind,
  Invitation,
  Me,
  Member,
  NewChannel,
  Project,
  Question,
  Registered,
  Rerun,
  Role,
  RotatedToken,
  Severity,
  SignedIn,
  State,
  TenantSettings,
  TestResult,
  Verdict,
} from './types';

/** A write that may be given up, as one of many. */
type Stoppable = { signal?: AbortSignal };

const stoppable = ({ signal }: Stoppable) => (signal ? { signal } : {});
const creating = () => ({ idempotencyKey: newIdempotencyKey() });
const member = (project: string, user: string) => `/projects/${project}/members/${user}`;
const hook = (project: string, id: string) => `/projects/${project}/integrations/${id}`;
const channel = (project: string, id: string) => `/projects/${project}/notification-channels/${id}`;

export const actions = {
  login: (body: { email: string; password: string }) => post<SignedIn>('/auth/login', body),
  register: (body: { email: string; password: string; full_name: string; tenant_name: string }) =>
    post<Registered>('/auth/register', body),
  openLink: (body: { token: string }) => post<SignedIn>('/auth/link', body),
  acceptInvitation: (body: { token: string; password: string; full_name: string }) =>
    post<SignedIn>('/auth/invitations/accept', body),
  /** Fails for who is not signed in, which signs nobody out. */
  refresh: () => post<void>('/auth/refresh', {}),
  logout: () => post<void>('/auth/logout'),
  switchProject: (project_id: string) => post<Me>('/auth/switch-project', { project_id }),
  changePassword: (body: { old_password: string; new_password: string }) =>
    post<void>('/auth/password', body),
  changeTenant: (body: { llm_enabled: boolean }) => patch<TenantSettings>('/tenant', body),
  endSession: (id: string) => remove(`/auth/sessions/${id}`),
  invite: (body: { email: string; role: Role }) => post<Invitation>('/auth/invitations', body, creating()),
  withdrawInvitation: (id: string) => remove(`/auth/invitations/${id}`),
  createProject: (name: string) => post<Project>('/projects', { name }, creating()),
  renameProject: (v: { id: string; name: string }) => patch<Project>(`/projects/${v.id}`, { name: v.name }),
  deleteProject: (id: string) => remove(`/projects/${id}`),
  changeRole: (v: { project: string; user: string; role: Role }) =>
    patch<Member>(member(v.project, v.user), { role: v.role }),
  removeMember: (v: { project: string; user: string }) => remove(member(v.project, v.user)),
  createKey: (v: { project: string; name: string; role: Role; expires_at?: string }) =>
    post<ApiKey>(
      `/projects/${v.project}/api-keys`,
      { name: v.name, role: v.role, expires_at: v.expires_at },
      creating(),
    ),
  revokeKey: (v: { project: string; id: string }) => remove(`/projects/${v.project}/api-keys/${v.id}`),
  createIntegration: (v: { project: string; kind: IntegrationKind; name: string; url?: string }) =>
    post<Integration>(
      `/projects/${v.project}/integrations`,
      { kind: v.kind, name: v.name, url: v.url },
      creating(),
    ),
  changeIntegration: (v: { project: string; id: string; name: string; url: string | null }) =>
    patch<Integration>(hook(v.project, v.id), { name: v.name, url: v.url }),
  deleteIntegration: (v: { project: string; id: string }) => remove(hook(v.project, v.id)),
  testIntegration: (v: { project: string; id: string }) => post<TestResult>(`${hook(v.project, v.id)}/test`),
  rotateToken: (v: { project: string; id: string }) =>
    post<RotatedToken>(`${hook(v.project, v.id)}/rotate-token`),
  createChannel: (v: { project: string; channel: NewChannel }) =>
    post<Channel>(`/projects/${v.project}/notification-channels`, v.channel, creating()),
  changeChannel: (v: { project: string; id: string; change: ChannelChange }) =>
    patch<Channel>(channel(v.project, v.id), v.change),
  deleteChannel: (v: { project: string; id: string }) => remove(channel(v.project, v.id)),
  testChannel: (v: { project: string; id: string }) => post<ChannelTest>(`${channel(v.project, v.id)}/test`),
  rotateSecret: (v: { project: string; id: string }) =>
    post<Channel>(`${channel(v.project, v.id)}/rotate-secret`),
  replay: (v: { project: string; id: string }) =>
    post<DeliveryDetail>(`/projects/${v.project}/deliveries/${v.id}/replay`),
  createIncident: (body: {
    title: string;
    description?: string;
    service_name?: string;
    severity?: Severity;
  }) => post<Incident>('/incidents', body, creating()),
  changeIncident: (v: { id: string; change: IncidentChange } & Stoppable) =>
    patch<Incident>(`/incidents/${v.id}`, v.change, stoppable(v)),
  moveIncident: (v: { id: string; state: State; comment?: string } & Stoppable) =>
    patch<Incident>(`/incidents/${v.id}/state`, { state: v.state, comment: v.comment }, stoppable(v)),
  comment: (v: { id: string; body: string }) =>
    post<Comment>(`/incidents/${v.id}/comments`, { body: v.body }, creating()),
  merge: (v: { id: string; into: string } & Stoppable) =>
    post<Incident>(`/incidents/${v.id}/merge`, { into: v.into }, stoppable(v)),
  snooze: (v: { id: string } & ({ for_minutes: number } | { until: string })) => {
    const { id, ...how } = v;
    return post<Incident>(`/incidents/${id}/snooze`, how, creating());
  },
  wake: (v: { id: string }) => remove<Incident>(`/incidents/${v.id}/snooze`),
  analyse: (v: { id: string; refresh: boolean }) =>
    post<Hypotheses>(`/incidents/${v.id}/hypotheses`, v.refresh ? { refresh: true } : {}),
  giveFeedback: (v: { id: string; hypothesis: string; verdict: Verdict; comment?: string }) =>
    post<void>(`/incidents/${v.id}/hypotheses/${v.hypothesis}/feedback`, {
      verdict: v.verdict,
      comment: v.comment,
    }),
  runAgain: (v: { id: string; evidence: string }) =>
    post<Rerun>(`/incidents/${v.id}/evidence/${v.evidence}/run`),
  ask: (v: { id: string; question: string; on: (question: Question) => void }) =>
    postEvents<Question>(`/incidents/${v.id}/questions`, { question: v.question }, v.on),
};

/** What a person may change of an incident, apart from its state. */
export type IncidentChange = Partial<
  Pick<
    Incident,
    | 'title'
    | 'description'
    | 'severity'
    | 'service_name'
    | 'assigned_to'
    | 'root_cause'
    | 'resolution_summary'
  >
>;

/** Runs a write, then looks again at the reads it touches. Waits for them, so the screen is never behind. */
export function useAction<V, T>(run: (vars: V) => Promise<T>, refreshes: readonly Endpoint[]) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: () =>
      Promise.all(refreshes.map((endpoint) => client.invalidateQueries({ queryKey: [endpoint] }))),
  });
}
