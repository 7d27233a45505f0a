/** The one door to the generated API types: everything else imports them from here. */
import type * as schema from './schema.gen';

/** What the server answers with: it writes null for what it does not have, and leaves nothing out. */
type Answer<T> = unknown extends T
  ? T
  : T extends readonly (infer One)[]
    ? Answer<One>[]
    : T extends object
      ? { [Name in keyof T]-?: Answer<Exclude<T[Name], undefined>> }
      : T;

/** The same with some members known more closely than the document says. */
type Narrowed<T, Closer> = Omit<Answer<T>, keyof Closer> & Closer;

export type Severity = schema.Severity;
export type State = schema.State;
export type Mark = schema.Mark;
export type Role = schema.Role;
export type IntegrationKind = schema.Kind;
export type Outcome = schema.Outcome;
export type AnalysisStatus = schema.AnalysisStatus;
export type Verdict = schema.Verdict;

export type FieldError = schema.FieldError;
export type Problem = Omit<schema.Problem, 'legal'> & { legal?: State[] };
export type User = schema.User;
export type Project = schema.Project;
export type ProjectRole = schema.ProjectRole;
export type Me = schema.Me;
export type Setup = schema.Setup;
export type SignedIn = schema.SignedIn;
export type Registered = schema.Registered;
export type TenantSettings = Answer<schema.TenantSettings>;
export type Session = Answer<schema.Session>;
/** With `link` only in the answer that made it. */
export type Invitation = Omit<schema.Invitation, 'link'> & { link?: string | null };
export type Member = schema.Member;
/** With `key` only in the answer that made it. */
export type ApiKey = Omit<Answer<schema.ApiKey>, 'key'> & { key?: string | null };
export type AuditEntry = Answer<schema.AuditEntry>;
/** With `token` only in the answer that made it. */
export type Integration = Narrowed<
  schema.Integration,
  { settings: schema.Settings; last_delivery_status: Delivery['status'] | null }
> & { token?: string };
export type TestResult = schema.TestResult;
export type RotatedToken = schema.Rotated;
export type Delivery = Narrowed<schema.Delivery, { status: 'accepted' | 'rejected' }>;
export type DeliveryResult = Answer<schema.DeliveryResult>;
export type DeliveryDetail = Delivery & { body: string | null; results: DeliveryResult[] };
export type AnalysisSummary = Narrowed<schema.AnalysisHeadline, { status: AnalysisStatus }>;
export type Incident = Narrowed<schema.Incident, { analysis: AnalysisSummary | null }>;
export type IncidentSummary = Narrowed<schema.Summary, { open_by_severity: Record<Severity, number> }>;
export type Step = Narrowed<schema.Step, { detail: Record<string, unknown> }>;
export type Comment = Answer<schema.Comment>;
export type IncidentAlert = Narrowed<schema.IncidentAlert, { status: 'firing' | 'resolved' }>;
export type Analysis = Answer<schema.Analysis>;
export type Hypothesis = Answer<schema.Hypothesis>;
/** A version of an analysis, as it stands in the list of them. */
export type Version = Answer<schema.Version>;
export type Hypotheses = { analysis: Analysis | null; items: Hypothesis[]; versions: Version[] };
export type Series = { labels: Record<string, string>; points: [number, number | null][] };
export type Evidence = Narrowed<schema.Evidence, { series: Series[] | null }>;
/** What a fact's query said then, and what it says now. */
export type Rerun = Narrowed<schema.Rerun, { series: Series[] }>;
export type Question = Narrowed<schema.Question, { evidence: Evidence[] }>;
export type Questions = { off: string | null; items: Question[] };
export type Change = Answer<schema.Change>;
export type ChannelKind = schema.ChannelKind;
export type Tell = schema.Tell;
/** With `signing_secret` only in the answer that made it. */
export type Channel = Answer<schema.NotificationChannel> &
  Pick<schema.CreatedNotificationChannel, 'signing_secret'>;
export type NewChannel = schema.NewNotificationChannel;
export type ChannelChange = schema.NotificationChannelChange;
export type ChannelTest = Answer<schema.TrialResult>;
/** One message of a channel, sent or not. */
export type Notification = Answer<schema.Notification>;
export type Stat = Answer<schema.Stat>;
export type IncidentBucket = Narrowed<schema.Bucket, { by_severity: Record<Severity, number> }>;
export type IncidentAnalytics = Narrowed<
  schema.IncidentAnalytics,
  {
    buckets: IncidentBucket[];
    by_severity: Record<Severity, number>;
    by_state: Record<State, number>;
  }
>;
export type AiAnalytics = Answer<schema.AiAnalytics>;
export type AiDay = Answer<schema.Day>;
export type CalibrationBin = schema.Bin;

/** The kinds of event the socket carries; the document does not describe them. */
export type EventType =
  | 'incident.created'
  | 'incident.updated'
  | 'hypothesis.generated'
  | 'alert.fired'
  | 'alert.resolved';

/** Every list of the API has this form. */
export type Page<T> = { items: T[]; next_cursor: string | null };

/** One numbered event of a project, as it arrives on the socket. */
export type LiveEvent = {
  type: EventType;
  seq: number;
  tenant_id: string;
  project_id: string;
  timestamp: string;
  data: LiveEventData;
};

/** What an event says about itself; it is a hint, the data is read again over REST. */
export type LiveEventData = {
  id?: string;
  incident_id?: string;
  number?: number;
  title?: string;
  severity?: Severity;
  state?: State;
};

/** Severities, worst first. */
export const SEVERITIES: readonly Severity[] = ['critical', 'high', 'medium', 'low', 'info'];

/** States in the order of the workflow. */
export const STATES: readonly State[] = [
  'detected',
  'acknowledged',
  'investigating',
  'mitigated',
  'resolved',
  'learned',
  'inconclusive',
];

/** What a channel can be told of an incident, in the order in which it happens. */
export const TELLS: readonly Tell[] = [
  'opened',
  'cause',
  'escalated',
  'acknowledged',
  'reopened',
  'resolved',
];
/** What sets an incident apart, whatever its state. */
export const MARKS: readonly Mark[] = ['flapping', 'stale', 'snoozed'];

/** Roles, the strongest first. */
export const ROLES: readonly Role[] = ['owner', 'admin', 'engineer', 'viewer'];
