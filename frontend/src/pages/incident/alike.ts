/** What the alerts of an incident have in common, so that it is said once. */
import type { IncidentAlert } from '../../api/types';

type Labels = Record<string, string>;

/** Members that are often the same for all, shown once when they are. */
const ONCE = [
  'severity',
  'title',
  'description',
  'runbook_url',
  'generator_url',
  'integration_name',
] as const;

export type Alike = Partial<Pick<IncidentAlert, (typeof ONCE)[number]>> & { labels: Labels };

/** What all of them say alike; one alone shares nothing. */
export function alikeIn(alerts: readonly IncidentAlert[]): Alike {
  const [first, ...others] = alerts;
  if (!first || others.length === 0) return { labels: {} };
  const members = ONCE.filter((name) => others.every((one) => one[name] === first[name]));
  const labels = Object.entries(first.labels).filter(([name, value]) =>
    others.every((one) => one.labels[name] === value),
  );
  return {
    ...Object.fromEntries(members.map((name) => [name, first[name]])),
    labels: Object.fromEntries(labels),
  };
}

/** The labels that tell one from the others. */
export function ownLabels(alert: IncidentAlert, alike: Alike): Labels {
  return Object.fromEntries(Object.entries(alert.labels).filter(([name]) => !(name in alike.labels)));
}
