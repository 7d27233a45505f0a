/** The connected sources and what they have sent. */
import type { DeliveryDetail, Integration, IntegrationKind } from '../../src/api/types';
import { uuid } from '../ids';

const PLACEHOLDER = '<token>';

export function integrationOf(
  kind: IntegrationKind,
  name: string,
  url: string | null,
  now: number,
): Integration {
  const id = uuid();
  const webhook_url = `https://sre.shop.example/webhooks/${kind}/${id}`;
  return {
    id,
    kind,
    name,
    url,
    has_auth: false,
    settings: {},
    webhook_url,
    snippet: snippetOf(kind, webhook_url, PLACEHOLDER),
    created_at: new Date(now - 40 * 86_400_000).toISOString(),
    last_delivery_at: null,
    last_delivery_status: null,
    truncated_alerts: 0,
  };
}

export function snippetOf(kind: IntegrationKind, webhook: string, token: string): string {
  const url = new URL(webhook);
  if (kind === 'prometheus')
    return `# prometheus.yml: one more entry under alerting.alertmanagers
alerting:
  alertmanagers:
    - scheme: ${url.protocol.replace(':', '')}
      path_prefix: ${url.pathname}
      authorization:
        credentials: ${token}
      static_configs:
        - targets: ["${url.host}"]`;
  if (kind === 'grafana')
    return `# provisioning/alerting/sre-copilot.yaml
apiVersion: 1
contactPoints:
  - orgId: 1
    name: sre-copilot
    receivers:
      - uid: sre-copilot
        type: webhook
        settings:
          url: ${webhook}
          authorization_scheme: Bearer
          authorization_credentials: ${token}`;
  return `# alertmanager.yml
route:
  receiver: mail                # yours
  routes:
    - receiver: sre-copilot     # first: a copy of everything
      group_wait: 0s
      continue: true
    # your existing routes, unchanged
    - receiver: mail            # last: your default again
receivers:
  - name: sre-copilot
    webhook_configs:
      - url: ${webhook}
        send_resolved: true
        http_config:
          authorization:
            credentials: ${token}`;
}

type Received = { at: number; incident: string | null; alerts: number; refused?: boolean };

export function deliveryOf(
  hook: Integration,
  { at, incident, alerts, refused = false }: Received,
): DeliveryDetail {
  const results = refused
    ? []
    : Array.from({ length: alerts }, (_, index) => ({
        index,
        fingerprint: (0x51cc_0000 + index).toString(16).padStart(16, 'a'),
        name: 'HighErrorRate',
        outcome: index === 0 && incident ? ('opened' as const) : ('attached' as const),
        reason: null,
        incident_id: incident,
      }));
  const outcomes: Record<string, number> = {};
  for (const { outcome } of results) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  return {
    id: uuid(),
    integration_id: hook.id,
    integration_name: hook.name,
    received_at: new Date(at).toISOString(),
    remote: '10.0.3.4',
    user_agent: hook.kind === 'grafana' ? 'Grafana' : 'Alertmanager/0.28.1',
    format: refused ? null : `${hook.kind}-v4`,
    status: refused ? 'rejected' : 'accepted',
    http_status: refused ? 401 : 200,
    reason: refused ? 'invalid-credentials: this webhook token is not valid' : null,
    received: refused ? 0 : alerts,
    outcomes,
    truncated: 0,
    flags: [],
    replay_of: null,
    body: JSON.stringify(
      {
        version: '4',
        status: 'firing',
        receiver: 'sre-copilot',
        groupLabels: { alertname: 'HighErrorRate' },
        alerts: [{ status: 'firing', labels: { alertname: 'HighErrorRate', service: 'checkout-api' } }],
      },
      null,
      2,
    ),
    results,
  };
}
