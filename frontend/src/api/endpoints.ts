/** Every read of the API as a query: its key is the endpoint's name and parameters. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { get } from './client';
import type {
  AiAnalytics,
  ApiKey,
  AuditEntry,
  Change,
  Channel,
  Delivery,
  DeliveryDetail,
  Evidence,
  Hypotheses,
  Incident,
  IncidentAlert,
  IncidentAnalytics,
  IncidentSummary,
  Integration,
  Invitation,
  Mark,
  Me,
  Member,
  Notification,
  Page,
  Project,
  Questions,
  Session,
  Setup,
  Severity,
  State,
  Step,
  TenantSettings,
} from './types';

/** What the incident list can be narrowed by; it is what the server's query accepts. */
export type IncidentQuery = {
  state?: readonly State[];
  severity?: readonly Severity[];
  service_name?: readonly string[];
  /** `me`, `none`, an id or an e-mail address. */
  assigned_to?: string;
  /** NAME=VALUE, all of which must be there. */
  label?: readonly string[];
  q?: string;
  from?: string;
  to?: string;
  open?: boolean;
  /** With all of these marks. */
  is?: readonly Mark[];
  /** Resolved while an alert of it fires. */
  still_firing?: boolean;
  sort: 'needs_me' | '-detected_at' | 'detected_at';
};

/** A span of time for analytics, RFC 3339. */
export type Span = { from: string; to: string };

const ROWS_A_PAGE = 100;
/** The most that the server puts in a page. */
const MOST_ROWS = 200;
/** How long the pages of a list are kept while something read out of it is on the screen. */
const KEPT_MS = 60 * 60_000;

export const q = {
  setup: () =>
    queryOptions({
      queryKey: ['setup'],
      queryFn: ({ signal }) => get<Setup>('/auth/setup', { signal }),
    }),
  me: () =>
    queryOptions({
      queryKey: ['me'],
      queryFn: ({ signal }) => get<Me>('/auth/me', { signal }),
      staleTime: 5 * 60_000,
      refetchOnWindowFocus: 'always',
    }),
  tenant: () => one<TenantSettings>('tenant', 'own', '/tenant'),
  sessions: () => list<Session>('sessions', '/auth/sessions', { limit: 200 }),
  invitations: () => list<Invitation>('invitations', '/auth/invitations', { limit: 200 }),
  projects: () => list<Project>('projects', '/projects', { limit: 200 }),
  members: (project: string) => list<Member>('members', `/projects/${project}/members`, { limit: 200 }),
  apiKeys: (project: string) => list<ApiKey>('apiKeys', `/projects/${project}/api-keys`, { limit: 200 }),
  audit: () => pages<AuditEntry>('audit', '/audit', {}),
  integrations: (project: string) =>
    list<Integration>('integrations', `/projects/${project}/integrations`, { limit: 200 }),
  integration: (project: string, id: string) =>
    one<Integration>('integration', id, `/projects/${project}/integrations/${id}`),
  deliveries: (project: string, integration?: string) =>
    pages<Delivery>('deliveries', `/projects/${project}/deliveries`, { integration_id: integration }, 50),
  delivery: (project: string, id: string) =>
    one<DeliveryDetail>('delivery', id, `/projects/${project}/deliveries/${id}`),
  channels: (project: string) =>
    list<Channel>('channels', `/projects/${project}/notification-channels`, { limit: 200 }),
  channel: (project: string, id: string) =>
    one<Channel>('channel', id, `/projects/${project}/notification-channels/${id}`),
  channelNotifications: (project: string, id: string) =>
    pages<Notification>(
      'channelNotifications',
      `/projects/${project}/notification-channels/${id}/notifications`,
      {},
      20,
    ),
  incidents: (query: IncidentQuery) => pages<Incident>('incidents', '/incidents', query),
  incidentsByText: (text: string) =>
    list<Incident>('incidentsByText', '/incidents', { q: text, limit: 8, sort: '-detected_at' }),
  summary: () =>
    queryOptions({
      queryKey: ['summary'],
      queryFn: ({ signal }) => get<IncidentSummary>('/incidents/summary', { signal }),
    }),
  incident: (ref: string) => one<Incident>('incident', ref, `/incidents/${ref}`),
  steps: (id: string) => partsOf<Step>('steps', id),
  alerts: (id: string) => partsOf<IncidentAlert>('alerts', id),
  evidence: (id: string) => list<Evidence>('evidence', `/incidents/${id}/evidence`, { limit: 200 }, id),
  hypotheses: (id: string) => one<Hypotheses>('hypotheses', id, `/incidents/${id}/hypotheses`),
  /** An earlier version, which stays as it is but for what is said of it. */
  hypothesesOf: (id: string, version: number) =>
    queryOptions({
      queryKey: ['hypotheses', id, version],
      queryFn: ({ signal }) => get<Hypotheses>(`/incidents/${id}/hypotheses`, { query: { version }, signal }),
    }),
  evidenceOf: (id: string, version: number) =>
    list<Evidence>('evidence', `/incidents/${id}/evidence`, { limit: 200, version }, id),
  notifications: (id: string) =>
    list<Notification>('notifications', `/incidents/${id}/notifications`, { limit: 200 }, id),
  questions: (id: string) => one<Questions>('questions', id, `/incidents/${id}/questions`),
  changes: (span: Span) => list<Change>('changes', '/changes', { ...span, limit: 200 }),
  changePages: (span: Span) => pages<Change>('changePages', '/changes', span),
  incidentAnalytics: (span: Span, bucket: 'hour' | 'day') =>
    queryOptions({
      queryKey: ['incidentAnalytics', span, bucket],
      queryFn: ({ signal }) =>
        get<IncidentAnalytics>('/analytics/incidents', { query: { ...span, bucket }, signal }),
      placeholderData: keepPreviousData,
    }),
  aiAnalytics: (span: Span) =>
    queryOptions({
      queryKey: ['aiAnalytics', span],
      queryFn: ({ signal }) => get<AiAnalytics>('/analytics/ai', { query: span, signal }),
      placeholderData: keepPreviousData,
    }),
};

/** The head of an incident list; longer than a page of it, so that it still meets the next one when rows were added. */
export function incidentHead(query: IncidentQuery): Promise<Page<Incident>> {
  return get('/incidents', { query: { ...query, limit: MOST_ROWS } });
}

/** The name of a read; the first part of its query key. */
export type Endpoint = keyof typeof q;

type Params = Record<string, string | number | boolean | readonly string[] | undefined>;

/** A list that is read whole, in one page; `id` is the thing it belongs to. */
function list<T>(name: string, path: string, query: Params = {}, id = path) {
  return queryOptions({
    queryKey: [name, id, query],
    queryFn: ({ signal }) => get<Page<T>>(path, { query, signal }),
  });
}

/** A list that is read page by page as the reader scrolls. */
function pages<T>(name: string, path: string, query: Params, rows = ROWS_A_PAGE) {
  return infiniteQueryOptions({
    queryKey: [name, query, path],
    queryFn: ({ signal, pageParam }) =>
      get<Page<T>>(path, { query: { ...query, limit: rows, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    gcTime: KEPT_MS,
  });
}

/** A long list of one incident, page by page; another incident's never stands in for it. */
function partsOf<T>(name: string, id: string) {
  return infiniteQueryOptions({
    queryKey: [name, id],
    queryFn: ({ signal, pageParam }) =>
      get<Page<T>>(`/incidents/${id}/${name}`, { query: { limit: MOST_ROWS, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

function one<T>(name: string, id: string, path: string) {
  return queryOptions({ queryKey: [name, id], queryFn: ({ signal }) => get<T>(path, { signal }) });
}
