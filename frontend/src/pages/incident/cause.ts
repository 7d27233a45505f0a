/** What was wrong and what fixed it, as people write it. */
import type { Incident } from '../../api/types';

export type Cause = { root_cause: string; resolution_summary: string };

/** What is written, as the fields of a form. */
export function causeOf(incident: Incident): Cause {
  return {
    root_cause: incident.root_cause ?? '',
    resolution_summary: incident.resolution_summary ?? '',
  };
}

/** What of the form differs from what was written before; a field that was emptied is null. */
export function causeChange(form: Cause, before: Cause): { [Name in keyof Cause]?: string | null } {
  const after = { root_cause: form.root_cause.trim(), resolution_summary: form.resolution_summary.trim() };
  return {
    ...(after.root_cause !== before.root_cause && { root_cause: after.root_cause || null }),
    ...(after.resolution_summary !== before.resolution_summary && {
      resolution_summary: after.resolution_summary || null,
    }),
  };
}
