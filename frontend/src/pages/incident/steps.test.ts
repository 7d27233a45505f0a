import { expect, it } from 'vitest';
import type { Step } from '../../api/types';
import { folded, isByPerson, stepText } from './steps';

const step = (
  step_type: string,
  detail: Record<string, unknown> = {},
  actor: string | null = null,
): Step => ({
  id: step_type,
  step_type,
  status: 'completed',
  started_at: '2026-01-24T12:00:00Z',
  completed_at: null,
  duration_ms: null,
  detail,
  actor,
});

it.each([
  [step('alert_received', { name: 'HighErrorRate' }, 'Prometheus'), 'Alert received: HighErrorRate'],
  [step('incident_created', { source: 'manual' }, 'Ana'), 'opened the incident'],
  [step('incident_created', { source: 'Prometheus' }), 'Incident opened'],
  [step('evidence_collected', { evidence: 1 }), 'Evidence collected: 1 piece of evidence'],
  [step('hypotheses_generated', { count: 0 }), 'Causes looked for: 0 theories'],
  [step('hypotheses_generated'), 'Causes looked for'],
  [step('state_changed', { from: 'detected', to: 'acknowledged' }, 'Ana'), 'Detected → Acknowledged'],
  [step('severity_changed', { from: 'low', to: 'high' }, 'Ana'), 'set severity to high'],
  [step('assigned', { name: 'Ana' }, 'Ana'), 'took it'],
  [step('assigned', { name: 'Jun' }, 'Ana'), 'gave it to Jun'],
  [step('assigned', { name: null }, 'Ana'), 'took the owner away'],
  [step('merged', { into: 'x', number: 7 }, 'Ana'), 'merged it into INC-7'],
  [step('merged', { from: 'x', number: 8 }, 'Ana'), 'merged INC-8 into it'],
  [step('field_changed', { field: 'root_cause', from: null, to: 'A key' }, 'Ana'), 'changed root cause'],
  [step('moon_risen'), 'Moon risen'],
])('%o', (one, title) => {
  expect(stepText(one).title).toBe(title);
});

it('keeps what a person said as a note', () => {
  expect(stepText(step('comment_added', { body: 'Looking' }, 'Ana')).note).toBe('Looking');
  expect(stepText(step('state_changed', { to: 'resolved', comment: 'its last alert closed' })).note).toBe(
    'its last alert closed',
  );
});

it('tells people from sources', () => {
  expect(isByPerson(step('alert_received', {}, 'Alertmanager prod-eu'))).toBe(false);
  expect(isByPerson(step('state_changed', {}, 'Ana'))).toBe(true);
  expect(isByPerson(step('state_changed'))).toBe(false);
});

it('folds alerts that came one after another', () => {
  const lines = folded([
    step('alert_received'),
    step('incident_created'),
    ...[1, 2, 3].map(() => step('alert_received')),
  ]);
  expect(lines.map((line) => line.text.title)).toEqual([
    'Alert received',
    'Incident opened',
    '3 alerts received',
  ]);
});
