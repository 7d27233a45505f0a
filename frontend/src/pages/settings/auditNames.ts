/** What the objects of the audit log are called, where the entry itself gives no name. */
import { useQuery } from '@tanstack/react-query';
import { q } from '../../api/endpoints';
import type { AuditEntry } from '../../api/types';
import { useMe } from '../../components/me';

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** The names of the people, projects, integrations, channels and keys that this page can know of, by id. */
export function useNames(): ReadonlyMap<string, string> {
  const { project, projects } = useMe();
  const members = useQuery(q.members(project.id)).data?.items ?? [];
  const integrations = useQuery(q.integrations(project.id)).data?.items ?? [];
  const channels = useQuery(q.channels(project.id)).data?.items ?? [];
  const keys = useQuery(q.apiKeys(project.id)).data?.items ?? [];
  return new Map([
    ...members.map((one) => [one.user_id, one.full_name] as const),
    ...[...projects, ...integrations, ...channels, ...keys].map((one) => [one.id, one.name] as const),
  ]);
}

/** Who acted. */
export function actorOf(entry: AuditEntry, names: ReadonlyMap<string, string>): string {
  return entry.actor ?? named(entry.actor_id, names);
}

/** What was acted on. */
export function targetOf(entry: AuditEntry, names: ReadonlyMap<string, string>): string {
  return entry.target === entry.object ? named(entry.object, names) : entry.target;
}

/** `user:ID` by its name, else as its kind and the end of its id, which is the part that differs. */
function named(object: string, names: ReadonlyMap<string, string>): string {
  const [kind = '', id = ''] = object.split(':');
  if (!UUID.test(id)) return object;
  return names.get(id) ?? `${kind} …${id.slice(-6)}`;
}
