/** What each kind of integration is called, asks for, and how a person tries it out. */
import type { Integration, IntegrationKind } from '../../api/types';

export const KIND_NAMES: Record<IntegrationKind, string> = {
  prometheus: 'Prometheus',
  alertmanager: 'Alertmanager',
  grafana: 'Grafana',
};

/** In one sentence, what connecting it changes. */
export const KIND_NOTES: Record<IntegrationKind, string> = {
  prometheus:
    'The safest way: this server becomes one more entry under alerting.alertmanagers. Your routing stays as it is, and alerts arrive without the group wait. Silences of your Alertmanager do not apply to it.',
  alertmanager:
    'Two routes are added: a copy of everything to this server first, and your default receiver again last, so that nobody stops being notified.',
  grafana: 'A contact point of the type webhook. The token travels in a header, never in the address.',
};

export const URL_HINTS: Record<IntegrationKind, string> = {
  prometheus: 'Where this server can query metrics. Without it, analyses have no metrics to look at.',
  alertmanager: 'Where this server can compare its open alerts with yours.',
  grafana: 'Used for links only.',
};

export const URL_EXAMPLES: Record<IntegrationKind, string> = {
  prometheus: 'http://prometheus:9090',
  alertmanager: 'http://alertmanager:9093',
  grafana: 'https://grafana.example.com',
};

/** The order in which they are offered: the one that risks least first. */
export const KINDS: readonly IntegrationKind[] = ['prometheus', 'alertmanager', 'grafana'];

/** The command that checks the edited file before anything is reloaded. */
export function checkCommand(kind: IntegrationKind): string | null {
  if (kind === 'prometheus') return 'promtool check config prometheus.yml';
  if (kind === 'alertmanager') return 'amtool check-config alertmanager.yml';
  return null;
}

/** The command that sends one harmless alert through the user's own system. */
export function tryCommand(integration: Integration): string | null {
  if (integration.kind !== 'alertmanager') return null;
  const at = integration.url ?? 'http://localhost:9093';
  return `amtool alert add alertname=SRECopilotTest severity=low --alertmanager.url=${at}`;
}
