/** What each kind of channel is called and asks for, and what it can be told. */
import type { Channel, ChannelKind, Severity, Tell } from '../../api/types';
import { severityWord } from '../../components/Severity';

/** The order in which they are offered. */
export const KINDS: readonly ChannelKind[] = ['slack', 'pagerduty', 'webhook'];

export const KIND_NAMES: Record<ChannelKind, string> = {
  slack: 'Slack',
  pagerduty: 'PagerDuty',
  webhook: 'Webhook',
};

/** Where one gets what it asks for, in one sentence. */
export const KIND_NOTES: Record<ChannelKind, string> = {
  slack: 'Make an incoming webhook in a Slack app; the webhook decides which Slack channel is written to.',
  pagerduty: 'Add the integration “Events API v2” to a PagerDuty service; it shows the key.',
  webhook:
    'JSON is sent to an address of yours by POST, signed by the rules of Standard Webhooks. The secret for that is shown once.',
};

export const URL_LABELS: Record<ChannelKind, string> = {
  slack: 'Webhook URL',
  pagerduty: 'Events API address (optional)',
  webhook: 'Address',
};

export const URL_EXAMPLES: Record<ChannelKind, string> = {
  slack: 'https://hooks.slack.com/services/…',
  pagerduty: 'https://events.eu.pagerduty.com/v2/enqueue',
  webhook: 'https://tickets.example.com/incidents',
};

/** What a channel can be told, as a choice in a form. */
export const TELLS_NAMES: Record<Tell, string> = {
  opened: 'An incident opens',
  cause: 'Its likely cause is found',
  escalated: 'It becomes more severe',
  acknowledged: 'Someone acknowledges it',
  reopened: 'It opens again',
  resolved: 'It is resolved',
};

/** A severity as the least that a channel is told of. */
export function andWorse(severity: Severity): string {
  if (severity === 'critical') return 'Critical only';
  if (severity === 'info') return 'Every severity';
  return `${severityWord(severity)} and worse`;
}

/** What a channel is told of, in a few words for a table. */
export function scope({ min_severity, services }: Channel): string {
  const [first, second] = services;
  const names =
    services.length > 2 ? `${services.length} services` : [first, second].filter(Boolean).join(', ');
  return names ? `${andWorse(min_severity)}, ${names}` : andWorse(min_severity);
}
