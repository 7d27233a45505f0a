import { expect, it } from 'vitest';
import { findIncident } from '../../../mock/db';
import type { Change, Incident } from '../../api/types';
import { markerOf, shadeOf } from './evidence';

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
