/** The mock's database: plain objects in memory, shaped by the contract. */
import type {
  AiAnalytics,
  ApiKey,
  AuditEntry,
  Change,
  Channel,
  DeliveryDetail,
  EventType,
  Evidence,
  Hypotheses,
  Incident,
  IncidentAlert,
  Integration,
  Invitation,
  LiveEvent,
  LiveEventData,
  Me,
  Member,
  Notification,
  ProjectRole,
  Session,
  Setup,
  Step,
} from '../src/api/types';
import { uuid } from './ids';

export type Db = {
  signedIn: boolean;
  llmEnabled: boolean;
  llmOff: string | null;
  setup: Setup;
  me: Me;
  projects: (ProjectRole & { created_at: string })[];
  members: Member[];
  invitations: Invitation[];
  apiKeys: ApiKey[];
  sessions: Session[];
  audit: AuditEntry[];
  integrations: Integration[];
  deliveries: DeliveryDetail[];
  channels: Channel[];
  /** Of all channels, oldest first. */
  notifications: Notification[];
  incidents: Incident[];
  steps: Map<string, Step[]>;
  alerts: Map<string, IncidentAlert[]>;
  evidence: Map<string, Evidence[]>;
  hypotheses: Map<string, Analysed>;
  /** The versions before, oldest first. */
  earlier: Map<string, Analysed[]>;
  changes: Change[];
  ai: Pick<AiAnalytics, 'model' | 'days' | 'totals' | 'budget' | 'calibration'>;
};

/** One version of an analysis. */
export type Analysed = Omit<Hypotheses, 'versions'>;

const EPOCH = 'mock';
const listeners = new Set<(event: LiveEvent) => void>();
let seq = 0;

/** The one database of this page. */
export let db: Db;

/** Starts over with this content. */
export function load(content: Db): void {
  db = content;
  seq = 0;
}

/** Where the numbering of events stands. */
export function position(): { epoch: string; seq: number } {
  return { epoch: EPOCH, seq };
}

/** Numbers an event and tells every open socket. */
export function emit(type: EventType, data: LiveEventData): void {
  seq += 1;
  const event: LiveEvent = {
    type,
    seq,
    tenant_id: db.me.tenant.id,
    project_id: db.me.project.id,
    timestamp: new Date().toISOString(),
    data,
  };
  for (const listener of listeners) listener(event);
}

export function onEvent(listener: (event: LiveEvent) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The incidents of the project that the session is in. */
export function incidentsHere(): Incident[] {
  return db.incidents.filter((one) => one.project_id === db.me.project.id);
}

/** Finds an incident by id, `INC-7` or `7`. */
export function findIncident(ref: string): Incident | undefined {
  const number = /^(?:INC-)?(\d+)$/i.exec(ref)?.[1];
  return incidentsHere().find((one) => (number ? one.number === Number(number) : one.id === ref));
}

/** Saves a change of an incident and announces it. */
export function changeIncident(incident: Incident, change: Partial<Incident>): Incident {
  Object.assign(incident, change, {
    updated_at: new Date().toISOString(),
    version: incident.version + 1,
  });
  emit('incident.updated', {
    id: incident.id,
    number: incident.number,
    title: incident.title,
    severity: incident.severity,
    state: incident.state,
  });
  return incident;
}

/** Adds a finished step to an incident's workflow. */
export function addStep(
  incident: string,
  step_type: string,
  detail: Record<string, unknown> = {},
  actor: string | null = null,
  at = Date.now(),
  duration_ms: number | null = null,
): void {
  const steps = db.steps.get(incident) ?? [];
  steps.push({
    id: uuid(),
    step_type,
    status: 'completed',
    started_at: new Date(at).toISOString(),
    completed_at: new Date(at + (duration_ms ?? 0)).toISOString(),
    duration_ms,
    detail,
    actor,
  });
  db.steps.set(incident, steps);
}
