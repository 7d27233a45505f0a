/**
 * Types of notification channels, written by hand in the form of `schema.gen.ts`, which does not have them yet.
 * Once it does: delete this file, and let `types.ts` take the same names from `schema.gen.ts`.
 */
import type { Severity } from './schema.gen';

export type ChannelKind = 'slack' | 'pagerduty' | 'webhook';

/** What a channel can be told of an incident. */
export type Tell = 'opened' | 'cause' | 'escalated' | 'acknowledged' | 'reopened' | 'resolved';

export type NotificationChannelHealth = {
  status: 'untried' | 'ok' | 'failing' | 'off';
  last_success_at?: string | null;
  failing_since?: string | null;
  last_error?: string | null;
  /** Notifications that are not sent yet. */
  waiting: number;
};

export type NotificationChannel = {
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
  tells: Tell[];
  critical_faults: boolean;
  health: NotificationChannelHealth;
  created_at: string;
  updated_at: string;
};

/** The answer that made it, or its secret. */
export type CreatedNotificationChannel = NotificationChannel & { signing_secret?: string | null };

export type NewNotificationChannel = {
  kind: ChannelKind;
  name: string;
  url?: string | null;
  routing_key?: string | null;
  min_severity?: Severity | null;
  services?: string[] | null;
  tells?: Tell[] | null;
  critical_faults?: boolean | null;
  enabled?: boolean | null;
};

export type NotificationChannelChange = {
  name?: string;
  url?: string | null;
  routing_key?: string;
  min_severity?: Severity;
  services?: string[];
  tells?: Tell[];
  critical_faults?: boolean;
  enabled?: boolean;
};

export type TrialResult = { ok: boolean; status_code?: number | null; detail: string; took_ms: number };

export type Notification = {
  id: string;
  channel_id: string;
  channel_name: string;
  channel_kind: ChannelKind;
  what: Tell | 'digest' | 'test' | 'fault';
  incident_id?: string | null;
  incident_numbers: number[];
  title: string;
  status: 'waiting' | 'sent' | 'failed' | 'dropped';
  attempts: number;
  last_status_code?: number | null;
  detail: string;
  created_at: string;
  sent_at?: string | null;
  next_attempt_at?: string | null;
};
