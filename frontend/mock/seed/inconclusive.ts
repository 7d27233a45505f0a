/** An analysis for each status an incident may show, with an honest list of what was looked at. */

import type { Analysis, Incident } from '../../src/api/types';
import type { Db } from '../db';
import { addStep } from '../db';
import { uuid } from '../ids';
import { stepped } from './series';

export function fillInconclusive(db: Db, incident: Incident, now: number): void {
  const start = Date.parse(incident.detected_at);
  const status = incident.analysis?.status ?? 'inconclusive';
  const ended = status !== 'running' && status !== 'queued';
  const analysis: Analysis = {
    id: uuid(),
    version: 1,
    status,
    engine: status === 'failed' ? 'llm' : 'statistical',
    model: status === 'failed' ? 'gpt-4o-mini' : null,
    started_at: new Date(ended ? start + 3000 : now - 22_000).toISOString(),
    completed_at: ended ? new Date(start + 14_200).toISOString() : null,
    reason: reason(status),
    checked: [
      `12 series of ${incident.service_name ?? 'the project'}, compared with the hour before: nothing left its usual range`,
      'No changes were reported in the 60 minutes before',
      'No other alert fired within 15 minutes',
      'Not looked at: logs and traces, because no source for them is connected',
    ],
    tokens: status === 'failed' ? { prompt: 3120, completion: 0 } : null,
    cost_usd: status === 'failed' ? 0.0005 : null,
    cost_estimated: status === 'failed',
    onset_at: null,
    changed: null,
  };
  const claim = incident.analysis?.claim;
  const evidence =
    incident.open && incident.alert_count > 0
      ? {
          id: uuid(),
          kind: 'metric' as const,
          summary: incident.title,
          query: `avg(node_filesystem_avail_bytes{service="${incident.service_name}"})`,
          start: new Date(start - 3_600_000).toISOString(),
          end: new Date(now).toISOString(),
          value: 0.91,
          baseline: 0.78,
          score: 2.1,
          unit: 'ratio',
          role: 'symptom' as const,
          series: [
            stepped(
              now,
              start - 600_000,
              0.78,
              0.91,
              { service: incident.service_name ?? '' },
              incident.number,
            ),
          ],
          threshold: 0.9,
          url: null,
        }
      : null;
  if (evidence) db.evidence.set(incident.id, [evidence]);
  db.hypotheses.set(incident.id, {
    analysis: incident.alert_count === 0 && status !== 'failed' ? null : analysis,
    items:
      claim && evidence
        ? [
            {
              id: uuid(),
              incident_id: incident.id,
              analysis_id: analysis.id,
              rank: 1,
              claim,
              description: 'Memory grows in a straight line since the last start of the pods.',
              confidence_score: incident.analysis?.confidence_score ?? 0.3,
              confidence_lower: 0.12,
              confidence_upper: 0.44,
              suspected_service: incident.service_name,
              suspected_metric: 'container_memory_working_set_bytes',
              supporting_evidence: [evidence.id],
              contradicting_evidence: [],
              next_checks: ['Take a heap profile of one pod'],
              engine: 'statistical',
              feedback: null,
              created_at: new Date(start + 14_000).toISOString(),
            },
          ]
        : [],
  });
  addStep(incident.id, 'alert_received', { name: incident.labels.alertname }, incident.source, start, 4);
  addStep(incident.id, 'incident_created', {}, null, start + 4, 11);
  if (incident.acknowledged_at)
    addStep(
      incident.id,
      'state_changed',
      { from: 'detected', to: 'acknowledged' },
      incident.assigned_to_name,
      Date.parse(incident.acknowledged_at),
    );
  if (incident.resolved_at)
    addStep(
      incident.id,
      'state_changed',
      { from: 'investigating', to: 'resolved' },
      null,
      Date.parse(incident.resolved_at),
    );
}

function reason(status: Analysis['status']): string | null {
  if (status === 'failed')
    return 'The model endpoint answered 503 three times, and there are no metrics to fall back on.';
  if (status === 'inconclusive')
    return 'No series changed enough at the start to be told from its usual noise.';
  return null;
}
