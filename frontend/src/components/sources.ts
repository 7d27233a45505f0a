/** What is known of a source without asking it. */
import type { Integration } from '../api/types';

/** A Prometheus that is asked for metrics and leaves sending to an Alertmanager. */
export function isOnlyAsked({ kind, url, last_delivery_at }: Integration): boolean {
  return kind === 'prometheus' && Boolean(url) && !last_delivery_at;
}
