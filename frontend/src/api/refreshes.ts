/** Which reads an event makes old. A new kind of event is a type error here until someone decides. */
import type { Query, QueryClient } from '@tanstack/react-query';
import type { Endpoint } from './endpoints';
import type { EventType, LiveEvent } from './types';

const REFRESHES = {
  'incident.created': ['incidents', 'summary', 'integrations', 'incidentAnalytics', 'deliveries', 'incident'],
  'incident.updated': [
    'incidents',
    'summary',
    'incident',
    'steps',
    'alerts',
    'hypotheses',
    'evidence',
    'questions',
    'notifications',
    'incidentAnalytics',
  ],
  'hypothesis.generated': [
    'incidents',
    'incident',
    'hypotheses',
    'evidence',
    'questions',
    'notifications',
    'steps',
    'aiAnalytics',
  ],
  'alert.fired': ['incidents', 'summary', 'incident', 'alerts', 'steps', 'deliveries', 'integrations'],
  'alert.resolved': ['incidents', 'summary', 'incident', 'alerts', 'steps', 'deliveries', 'integrations'],
} as const satisfies Record<EventType, readonly Endpoint[]>;

/** Reads that belong to one incident, so an event about another one leaves them alone. */
const OF_ONE_INCIDENT: ReadonlySet<string> = new Set<Endpoint>([
  'incident',
  'steps',
  'alerts',
  'hypotheses',
  'evidence',
  'questions',
  'notifications',
]);

/** Marks as old what these events touch; when it is read again is for the `Refresher` to say. */
export function markOld(client: QueryClient, events: readonly LiveEvent[]): void {
  const endpoints = new Set<string>();
  const incidents = new Set<string>();
  for (const event of events) {
    for (const endpoint of REFRESHES[event.type] ?? []) endpoints.add(endpoint);
    const incident = incidentOf(event);
    if (incident) incidents.add(incident);
  }
  void client.invalidateQueries({
    predicate: (query) => isTouched(query, endpoints, incidents),
    refetchType: 'none',
  });
}

/** Whether a read belongs to one incident, and not to a list of them. */
export function isOfOneIncident(query: Query): boolean {
  return OF_ONE_INCIDENT.has(String(query.queryKey[0]));
}

/** The incident an event is about. */
export function incidentOf(event: LiveEvent): string | undefined {
  if (event.data.incident_id) return event.data.incident_id;
  return event.type.startsWith('incident.') ? event.data.id : undefined;
}

function isTouched(query: Query, endpoints: Set<string>, incidents: Set<string>): boolean {
  const [name, id] = query.queryKey;
  if (typeof name !== 'string' || !endpoints.has(name)) return false;
  if (!OF_ONE_INCIDENT.has(name) || incidents.size === 0) return true;
  if (typeof id === 'string' && incidents.has(id)) return true;
  const data: unknown = query.state.data;
  return typeof data === 'object' && data !== null && 'id' in data && incidents.has(String(data.id));
}
