//! The configuration to paste into the sender: exact, complete, and harmless to what it already does.

use super::Kind;
use crate::ids::IntegrationId;

/// Stands for the token where it is no longer known.
pub const PLACEHOLDER: &str = "<your webhook token>";

/// Where the sender posts to.
pub fn webhook_url(public_url: &str, kind: Kind, id: IntegrationId) -> String {
    format!("{public_url}/webhooks/{kind}/{id}")
}

/// The configuration to paste.
pub fn snippet(public_url: &str, kind: Kind, id: IntegrationId, token: &str) -> String {
    match kind {
        Kind::Alertmanager => alertmanager(&webhook_url(public_url, kind, id), token),
        Kind::Prometheus => prometheus(public_url, id, token),
        Kind::Grafana => grafana(&webhook_url(public_url, kind, id), token),
    }
}

/// Two routes are needed: the first copies everything to us, the last is what unmatched alerts used to fall
/// through to. A first route with `continue: true` alone would take the fallback receiver's alerts away.
fn alertmanager(url: &str, token: &str) -> String {
    format!(
        "# alertmanager.yml. Check it with: amtool check-config alertmanager.yml
route:
  receiver: default                # your receiver, unchanged
  routes:
    - receiver: sre-copilot        # first: a copy of everything
      group_wait: 0s
      continue: true
    # ... your existing routes, unchanged ...
    - receiver: default            # last: your receiver again, or it would get nothing more
receivers:
  - name: default                  # your receiver, unchanged
  - name: sre-copilot
    webhook_configs:
      - url: {url}
        send_resolved: true
        http_config:
          authorization:
            credentials: {token}
"
    )
}

/// Prometheus gets a second Alertmanager; nothing about the first changes.
fn prometheus(public_url: &str, id: IntegrationId, token: &str) -> String {
    let (scheme, target) = public_url.split_once("://").unwrap_or(("http", public_url));
    format!(
        "# prometheus.yml. Check it with: promtool check config prometheus.yml
alerting:
  alertmanagers:
    # ... your Alertmanagers, unchanged ...
    - scheme: {scheme}
      path_prefix: /webhooks/prometheus/{id}
      authorization:
        credentials: {token}
      static_configs:
        - targets: [\"{target}\"]
"
    )
}

fn grafana(url: &str, token: &str) -> String {
    format!(
        "# provisioning/alerting/sre-copilot.yml, or the same values under Alerting > Contact points > Webhook.
# To sign requests instead of sending the token, set hmacConfig: its secret is the token, its timestampHeader, if any,
# X-Grafana-Alerting-Timestamp.
# Then let your notification policies send to the contact point sre-copilot.
apiVersion: 1
contactPoints:
  - orgId: 1
    name: sre-copilot
    receivers:
      - uid: sre-copilot
        type: webhook
        settings:
          url: {url}
          httpMethod: POST
          authorization_scheme: Bearer
          authorization_credentials: {token}
"
    )
}
