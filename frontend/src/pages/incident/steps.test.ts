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
  [step('alert_received', { name: '190 more', count: 190 }, 'Prometheus'), '190 alerts received'],
  [step('incident_created', { source: 'manual' }, 'Ana'), 'opened the incident'],
  [step('incident_created', { source: 'Prometheus' }), 'Incident opened'],
  [step('evidence_collected', { evidence: 1 }), 'Evidence collected: 1 piece of evidence'],
  [step('hypotheses_generated', { count: 0 }), 'Causes looked for: none found'],
  [step('hypotheses_generated'), 'Causes looked for'],
  [step('state_changed', { from: 'detected', to: 'acknowledged' }, 'Ana'), 'Detected → Acknowledged'],
  [step('severity_changed', { from: 'low', to: 'high' }, 'Ana'), 'set severity to high'],
  [step('assigned', { name: 'Ana' }, 'Ana'), 'took it'],
  [step('assigned', { name: 'Jun' }, 'Ana'), 'gave it to Jun'],
  [step('assigned', { name: null }, 'Ana'), 'took the owner away'],
  [step('merged', { into: 'x', number: 7 }, 'Ana'), 'merged it into INC-7'],
  [step('merged', { from: 'x', number: 8 }, 'Ana'), 'merged INC-8 into it'],
  [step('field_changed', { field: 'root_cause', from: null, to: 'A key' }, 'Ana'), 'changed root cause'],
  [step('snoozed', { until: '2026-01-24T12:15:00Z' }, 'Ana'), 'snoozed it'],
  [step('snooze_ended', { why: 'woken' }, 'Ana'), 'woke it'],
  [step('snooze_ended', { why: 'due' }), 'Snooze ended'],
  [step('snooze_ended', { why: 'severity' }), 'Snooze ended: the severity rose'],
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

it('counts the alerts that a burst tells of in one step', () => {
  const burst = [...Array(10).fill(step('alert_received')), step('alert_received', { count: 190 })];
  expect(folded(burst).map((line) => line.text.title)).toEqual(['200 alerts received']);
});

it('folds analyses that came one after another, and says when the last was', () => {
  const analysis = (at: string) => [
    { ...step('evidence_collected', { evidence: 4 }), started_at: at },
    { ...step('hypotheses_generated', { count: 2 }), started_at: at },
  ];
  const later = [...analysis('2026-01-24T12:01:00Z'), ...analysis('2026-01-24T12:02:00Z')];
  expect(folded(later).map((line) => line.text)).toEqual([
    { title: '2 analyses', last: '2026-01-24T12:02:00Z' },
  ]);
  expect(folded(analysis('2026-01-24T12:01:00Z'))).toHaveLength(2);
  const running = { ...step('hypotheses_generated'), status: 'in_progress' as const };
  expect(folded([...later, running]).map((line) => line.text.title)).toEqual([
    '2 analyses',
    'Causes looked for',
  ]);
});
