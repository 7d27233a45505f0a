import { expect, it } from 'vitest';
import { findIncident } from '../../../mock/db';
import type { Change, Evidence, Incident } from '../../api/types';
import { chartAlt, hasMore, markerOf, nearestFirst, shadeOf } from './evidence';

const change = (part: Partial<Change>) =>
  ({
    service_name: 'cart',
    version: null,
    kind: 'deploy',
    timestamp: '2026-01-24T12:00:00Z',
    ...part,
  }) as Change;

it.each([
  [change({ version: 'v2' }), 'cart v2'],
  [change({ kind: 'config' }), 'cart config'],
  [change({ service_name: '\u202etrac' }), 'trac deploy'],
  [change({ service_name: 'x'.repeat(200) }), `${'x'.repeat(27)}… deploy`],
])('%#: names the service of a change in a chart', (one, label) => {
  expect(markerOf(one).label).toBe(label);
});

it('shades from the start, not from the receipt', () => {
  const incident = {
    ...findIncident('INC-140'),
    started_at: '2026-01-24T12:00:00Z',
    detected_at: '2026-01-24T12:30:00Z',
    resolved_at: '2026-01-24T13:00:00Z',
  } as Incident;
  expect(shadeOf(incident)).toEqual({
    from: Date.parse('2026-01-24T12:00:00Z'),
    to: Date.parse('2026-01-24T13:00:00Z'),
  });
});

const fact = (part: Partial<Evidence>) =>
  ({
    summary: 'Errors of cart rose.',
    series: null,
    query: null,
    start: null,
    end: null,
    unit: 'ratio',
    threshold: null,
    url: null,
    ...part,
  }) as Evidence;
const curve = (...values: number[]) => [
  { labels: {}, points: values.map((y, x): [number, number] => [x, y]) },
];

it.each([
  [fact({ series: curve(0, 0.13), threshold: 0.01 }), 'Errors of cart rose. Between 0% and 13%, limit 1%.'],
  [fact({ series: curve(0.01, 0.01) }), 'Errors of cart rose. 1% throughout.'],
  [fact({ series: curve(1), summary: 'x'.repeat(900) }), `${'x'.repeat(119)}… 100% throughout.`],
])('%#: says what a chart shows with its least and most, which are no before and after', (one, alt) => {
  expect(chartAlt(one)).toBe(alt);
});

const AT = '2026-01-24T12:00:00Z';

it.each([
  [fact({ start: AT }), false],
  [fact({ query: '', series: [] }), false],
  [fact({ url: 'javascript:alert(1)' }), false],
  [fact({ start: AT, end: AT }), true],
  [fact({ query: 'up' }), true],
  [fact({ url: 'https://ci.example/7' }), true],
])('%#: opens only where something is behind it', (one, more) => {
  expect(hasMore(one)).toBe(more);
});

it('puts what was measured first, then what happened nearest to the start', () => {
  const incident = { started_at: AT } as Incident;
  const at = (minute: string) => fact({ summary: minute, start: `2026-01-24T${minute}:00Z` });
  const measured = fact({ summary: 'measured', start: '2026-01-24T11:00:00Z', end: AT });
  const sorted = nearestFirst([at('10:52'), at('11:59'), measured, at('12:02')], incident);
  expect(sorted.map((one) => one.summary)).toEqual(['measured', '11:59', '12:02', '10:52']);
});
