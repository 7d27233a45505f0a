import { screen, waitFor } from '@testing-library/react';
import { expect, it } from 'vitest';
import { db, findIncident } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';

it('counts how often an alert was heard, which is once for one that was not repeated', async () => {
  const alerts = db.alerts.get(findIncident('INC-142')?.id ?? '') ?? [];
  for (const [index, alert] of alerts.entries()) alert.repeat_count = index + 1;
  renderApp('/incidents/INC-142?tab=alerts');
  await waitFor(() => expect(screen.getAllByText(/^last heard/)).toHaveLength(3));
  expect(screen.getAllByText(/heard [\d]+ times|repeat/).map((one) => one.textContent)).toEqual([
    'heard 2 times',
    'heard 3 times',
  ]);
});

it('does not call the place to ask again a source, which is what sent the alert', async () => {
  renderApp('/incidents/INC-142?tab=alerts');
  expect(await screen.findByRole('link', { name: 'Query' })).toBeTruthy();
  expect(screen.queryByRole('link', { name: 'Source' })).toBeNull();
});
