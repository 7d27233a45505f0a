import { expect, it } from 'vitest';
import type { IncidentAlert } from '../../api/types';
import { alikeIn, ownLabels } from './alike';

const alert = (labels: Record<string, string>, description = '') =>
  ({ title: 'Disk full', severity: 'high', description, labels }) as IncidentAlert;

it('says once what all alerts have in common, and of each only what is its own', () => {
  const alerts = [
    alert({ job: 'node', host: 'a' }, 'a is full'),
    alert({ job: 'node', host: 'b' }, 'b is full'),
  ];
  const alike = alikeIn(alerts);
  expect(alike).toMatchObject({ title: 'Disk full', severity: 'high', labels: { job: 'node' } });
  expect(alike).not.toHaveProperty('description');
  expect(alerts.map((one) => ownLabels(one, alike))).toEqual([{ host: 'a' }, { host: 'b' }]);
});

it('does not share a label that one of them lacks', () => {
  expect(alikeIn([alert({ job: 'node' }), alert({})]).labels).toEqual({});
});

it('takes nothing away from one alone', () => {
  const one = alert({ job: 'node' });
  expect(ownLabels(one, alikeIn([one]))).toEqual({ job: 'node' });
});
