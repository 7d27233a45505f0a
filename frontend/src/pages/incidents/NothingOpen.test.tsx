import { screen, waitFor } from '@testing-library/react';
import { expect, it } from 'vitest';
import { db } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { seed } from '../../../mock/seed/world';

const heard = (ago: number) => ({
  last_delivery_at: new Date(Date.now() - ago).toISOString(),
  last_delivery_status: 'accepted' as const,
});

it('proves by its sources that an empty list is good news', async () => {
  seed('quiet');
  for (const one of db.integrations) Object.assign(one, heard(12_000));
  renderApp('/incidents');
  expect(await screen.findByRole('heading', { name: 'No open incidents' })).toBeTruthy();
  expect(screen.getByText('Alertmanager prod-eu').closest('li')?.textContent).toMatch(/last heard \d+s ago/);
});

it.each([
  ['has never sent anything', null, 'has not sent anything yet'],
  ['has been silent for days', heard(3.5 * 86_400_000), 'last heard 3d ago'],
])('does not call an empty list good news while a source %s', async (_, grafana, told) => {
  seed('quiet');
  Object.assign(db.integrations[2] ?? {}, grafana);
  renderApp('/incidents');
  expect(await screen.findByText('No open incidents, but not every source is heard')).toBeTruthy();
  expect(screen.getByText('Grafana').closest('li')?.textContent).toContain(told);
});

it('does not wait to hear from a Prometheus that is only asked for metrics', async () => {
  seed('quiet');
  for (const one of db.integrations) Object.assign(one, heard(12_000));
  const asked = db.integrations.find((one) => one.kind === 'prometheus');
  Object.assign(asked ?? {}, { url: 'http://prometheus:9090', last_delivery_at: null });
  renderApp('/incidents');
  expect(await screen.findByRole('heading', { name: 'No open incidents' })).toBeTruthy();
  expect(screen.getByText(asked?.name ?? '').closest('li')?.textContent).toContain(
    'is asked for metrics and sends nothing',
  );
});

it('says that no alert has arrived when no source has ever sent one', async () => {
  seed('quiet');
  for (const one of db.integrations) one.last_delivery_at = null;
  renderApp('/incidents');
  expect(await screen.findByText('No alert has arrived yet')).toBeTruthy();
});

it('tells of what was resolved by hand and still fires, and shows it', async () => {
  seed('quiet');
  for (const one of db.incidents.slice(0, 2)) one.open_alert_count = 1;
  const { user, at } = renderApp('/incidents');
  expect(await screen.findByText('2 incidents resolved by hand are still firing')).toBeTruthy();
  expect(await screen.findByText('No open incidents, but alerts still fire')).toBeTruthy();
  await user.click(screen.getByRole('link', { name: 'Show' }));
  await waitFor(() => expect(screen.getAllByRole('row')).toHaveLength(2));
  expect(screen.getAllByText('still firing')).toHaveLength(2);
  expect(at()).toBe('/incidents?q=is%3Astill-firing');
});
