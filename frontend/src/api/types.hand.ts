/**
 * Types of notification channels, written by hand in the form of `schema.gen.ts`, which does not have them yet.
 * Once it does: delete this file, and let `types.ts` take these names from `schema.gen.ts`.
 */
import type { Severity } from './schema.gen';

export type ChannelKind = 'slack' | 'pagerduty' | 'webhook';

/** What a channel can be told of an incident. */
export type Tells = 'opened' | 'cause' | 'escalated' | 'acknowledged' | 'reopened' | 'resolved';

export type ChannelHealth = {
  status: 'untried' | 'ok' | 'failing' | 'off';
  last_success_at?: string | null;
  failing_since?: string | null;
  last_error?: string | null;
  /** Notifications that are not sent yet. */
  waiting: number;
};

export type Channel = {
  id: string;
  project_id: string;
  kind: ChannelKind;
  name: string;
  /** Host and last four characters, never the secret. */
  address: string;
  enabled: boolean;
  min_severity: Severity;
  /** None means all. */
  services: string[];
  tells: Tells[];
  critical_faults: boolean;
  health: ChannelHealth;
  created_at: string;
  updated_at: string;
  /** Only in the answer that made it. */
  signing_secret?: string | null;
};

export type NewChannel = {
  kind: ChannelKind;
  name: string;
  url?: string;
  routing_key?: string;
  min_severity?: Severity;
  services?: string[];
  tells?: Tells[];
  critical_faults?: boolean;
  enabled?: boolean;
};

export type ChannelChange = Partial<Omit<NewChannel, 'kind'>>;

export type ChannelTest = { ok: boolean; status_code?: number | null; detail: string; took_ms: number };

export type Notification = {
  id: string;
  channel_id: string;
  channel_name: string;
  channel_kind: ChannelKind;
  what: Tells | 'digest' | 'test' | 'fault';
  incident_id?: string | null;
  incident_numbers: number[];
  title: string;
  status: 'waiting' | 'sent' | 'failed' | 'dropped';
  attempts: number;
  last_status_code?: number | null;
  detail?: string | null;
  created_at: string;
  sent_at?: string | null;
  next_attempt_at?: string | null;
};
