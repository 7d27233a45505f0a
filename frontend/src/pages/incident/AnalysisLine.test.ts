import { expect, test } from 'vitest';
import type { Analysis } from '../../api/types';
import { analysisParts } from './AnalysisLine';

const analysis: Analysis = {
  id: 'a',
  version: 1,
  status: 'completed',
  engine: 'llm',
  model: 'gpt-4o-mini',
  started_at: '2026-01-24T12:00:00Z',
  completed_at: '2026-01-24T12:00:02Z',
  reason: null,
  checked: [],
  tokens: { prompt: 1234, completion: 56 },
  cost_usd: 0.00021,
  cost_estimated: false,
  onset_at: null,
  changed: null,
};

test('a model that answered is named, with its tokens and cost', () => {
  expect(analysisParts(analysis)).toEqual([
    'gpt-4o-mini',
    '2.0 s',
    '1,234 tokens in, 56 out',
    'under $0.001',
    'version 1',
  ]);
});

test('a model that failed is not passed off as unused, and what it cost is told', () => {
  const parts = analysisParts({ ...analysis, engine: 'statistical' });
  expect(parts[0]).toBe('Statistics; no answer of gpt-4o-mini to use');
  expect(parts).toContain('1,234 tokens in, 56 out');
});

test('what nobody knows to the unit is told as estimated', () => {
  const parts = analysisParts({ ...analysis, tokens: null, cost_usd: 0.012, cost_estimated: true });
  expect(parts.some((part) => /^\$.*\(estimated\)$/.test(part))).toBe(true);
});

test('without a model it says so', () => {
  const none = { ...analysis, engine: 'statistical', model: null, tokens: null, cost_usd: null } as const;
  expect(analysisParts(none)).toEqual(['Statistics, no model used', '2.0 s', 'version 1']);
});

test('while it runs nothing is said of a model yet', () => {
  const running = { ...analysis, status: 'running', engine: 'statistical', completed_at: null } as const;
  expect(analysisParts(running)[0]).toBe('Still at work');
});
