import { expect, it } from 'vitest';
import type { IncidentAlert } from '../../api/types';
import { ownLabels, sharedBy } from './shared';

const alert = (labels: Record<string, string>, description = '') =>
  ({ title: 'Disk full', severity: 'high', description, labels }) as IncidentAlert;

it('says once what all alerts have in common, and of each only what is its own', () => {
  const alerts = [
    alert({ job: 'node', host: 'a' }, 'a is full'),
    alert({ job: 'node', host: 'b' }, 'b is full'),
  ];
  const shared = sharedBy(alerts);
  expect(shared).toMatchObject({ title: 'Disk full', severity: 'high', labels: { job: 'node' } });
  expect(shared).not.toHaveProperty('description');
  expect(alerts.map((one) => ownLabels(one, shared))).toEqual([{ host: 'a' }, { host: 'b' }]);
});

it('does not share a label that one of them lacks', () => {
  expect(sharedBy([alert({ job: 'node' }), alert({})]).labels).toEqual({});
});

it('takes nothing away from one alone', () => {
  const one = alert({ job: 'node' });
  expect(ownLabels(one, sharedBy([one]))).toEqual({ job: 'node' });
});
