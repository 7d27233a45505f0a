/** Why a request was refused, and what to do about it. */
import type { Delivery, IntegrationKind } from '../../api/types';
import { words } from '../../util/sentence';

const TOKEN_FIELDS: Record<IntegrationKind, string> = {
  prometheus: 'authorization.credentials under alerting.alertmanagers',
  alertmanager: 'http_config.authorization.credentials of the receiver',
  grafana: 'the authorization credentials of the contact point',
};

export function refusalHint(delivery: Delivery, kind: IntegrationKind): string {
  switch (delivery.http_status) {
    case 401:
      return `The token does not match. Check ${TOKEN_FIELDS[kind]}; no spaces or line ends belong to it.`;
    case 403:
      return 'The token is right but belongs to another kind of integration.';
    case 404:
      return 'The address is wrong. Copy it from the snippet again.';
    case 400:
    case 415:
      return 'The body is not what this sender sends. Check that the address is the one of this integration.';
    case 413:
      return 'The request is too large. Lower max_alerts of the sender, or group by more labels.';
    case 503:
      return 'This server was too busy. The sender tries again by itself.';
    default:
      return 'Open the delivery below to see what was sent.';
  }
}

/** Why a request was refused: the server's code in words, and what the sender was told, as it was told. */
export function refusal(reason: string): { code: string; told: string } {
  const [code = '', ...told] = reason.split(': ');
  return { code: words(code), told: told.join(': ') };
}
