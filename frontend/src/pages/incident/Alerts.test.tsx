import { screen, waitFor } from '@testing-library/react';
import { expect, it } from 'vitest';
import { db, findIncident } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { seed } from '../../../mock/seed/world';

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

it('reaches every one of very many, and says what is said of which', async () => {
  seed('odd', 1);
  const incident = findIncident('INC-202');
  if (!incident) throw new Error('it is there');
  const [one] = db.alerts.get(incident.id) ?? [];
  if (!one) throw new Error('it has an alert');
  const many = Array.from({ length: 250 }, (_, index) => ({ ...one, id: `alert-${index}` }));
  db.alerts.set(incident.id, many);
  incident.alert_count = 250;
  const { user } = renderApp('/incidents/INC-202?tab=alerts');
  expect(await screen.findByText('The same for the 200 shown')).toBeTruthy();
  expect(screen.getByText(/^200 of 250 are shown/)).toBeTruthy();
  await user.click(screen.getByRole('button', { name: 'Show more' }));
  expect(await screen.findByText('The same for all 250')).toBeTruthy();
  expect(screen.getAllByText(/^last heard/)).toHaveLength(250);
  expect(screen.queryByRole('button', { name: 'Show more' })).toBeNull();
});
