/** The one door to the generated API types: everything else imports them from here. */
import type * as schema from './schema.gen';

export type Severity = schema.Severity;
export type State = schema.State;
export type Role = schema.Role;
export type Problem = schema.Problem;
export type FieldError = schema.FieldError;
export type User = schema.User;
export type Project = schema.Project;
export type ProjectRole = schema.ProjectRole;
export type Me = schema.Me;
export type Setup = schema.Setup;
export type SignedIn = schema.SignedIn;
export type Registered = schema.Registered;
export type Session = schema.Session;
export type Invitation = schema.Invitation;
export type Member = schema.Member;
export type ApiKey = schema.ApiKey;
export type AuditEntry = schema.AuditEntry;
export type IntegrationKind = schema.IntegrationKind;
export type Integration = schema.Integration;
export type TestResult = schema.TestResult;
export type RotatedToken = schema.RotatedToken;
export type Outcome = schema.Outcome;
export type Delivery = schema.Delivery;
export type DeliveryDetail = schema.DeliveryDetail;
export type DeliveryResult = schema.DeliveryResult;
export type AnalysisStatus = schema.AnalysisStatus;
export type AnalysisSummary = schema.AnalysisSummary;
export type Incident = schema.Incident;
export type IncidentSummary = schema.IncidentSummary;
export type Step = schema.Step;
export type Comment = schema.Comment;
export type IncidentAlert = schema.IncidentAlert;
export type Analysis = schema.Analysis;
export type Verdict = schema.Verdict;
export type Hypothesis = schema.Hypothesis;
export type Hypotheses = schema.Hypotheses;
export type Series = schema.Series;
export type Evidence = schema.Evidence;
export type Change = schema.Change;
export type Stat = schema.Stat;
export type IncidentBucket = schema.IncidentBucket;
export type IncidentAnalytics = schema.IncidentAnalytics;
export type AiAnalytics = schema.AiAnalytics;
export type AiDay = schema.AiDay;
export type CalibrationBin = schema.CalibrationBin;
export type EventType = schema.EventType;

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

/** Roles, the strongest first. */
export const ROLES: readonly Role[] = ['owner', 'admin', 'engineer', 'viewer'];
