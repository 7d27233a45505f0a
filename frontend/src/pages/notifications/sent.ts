/** What became of a notification, in words. */
import type { Notification } from '../../api/types';

export const WHAT_NAMES: Record<Notification['what'], string> = {
  opened: 'opened',
  cause: 'likely cause',
  escalated: 'more severe',
  acknowledged: 'acknowledged',
  reopened: 'opened again',
  resolved: 'resolved',
  digest: 'several at once',
  test: 'test',
  fault: 'fault of the server',
};

export const STATUS_NAMES: Record<Notification['status'], string> = {
  waiting: 'Waiting',
  sent: 'Sent',
  failed: 'Failed',
  dropped: 'Dropped',
};

/** Why it is as it is: the reason that was given, else the code of the answer. */
export function reasonOf({ status, detail, last_status_code }: Notification): string | null {
  if (status === 'sent') return null;
  return detail || (last_status_code === null ? null : `answered ${last_status_code}`);
}
