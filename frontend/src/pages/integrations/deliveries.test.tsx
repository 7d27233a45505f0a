import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, expect, it } from 'vitest';
import { db } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { deliveryOf } from '../../../mock/seed/hooks';

const MINUTE = 60_000;

/** A storm of 120 deliveries, the oldest of which was refused and the next one quarantined. */
beforeEach(() => {
  const [hook] = db.integrations;
  if (!hook) throw new Error('the mock has no integration');
  db.deliveries = Array.from({ length: 120 }, (_, n) =>
    deliveryOf(hook, {
      at: Date.now() - (120 - n) * MINUTE,
      incident: null,
      alerts: 1,
      refused: n === 0,
    }),
  );
  Object.assign(db.deliveries[1]?.outcomes ?? {}, { attached: 0, quarantined: 1 });
});

const rows = (card: HTMLElement) => within(card).getAllByRole('row').length - 1;

it('finds what was refused long ago, and says how far back it has looked', async () => {
  const { user } = renderApp('/integrations');
  const card = await screen.findByRole('region', { name: 'Latest deliveries' });
  await waitFor(() => expect(rows(card)).toBe(50));
  await user.click(within(card).getByRole('radio', { name: 'Refused' }));
  expect(within(card).getByText(/^0 of the latest 50, back to/)).toBeTruthy();
  await user.click(within(card).getByRole('button', { name: 'Older' }));
  await within(card).findByText(/^0 of the latest 100, back to/);
  await user.click(within(card).getByRole('button', { name: 'Older' }));
  await within(card).findByText(/^1 of all 120, back to/);
  expect(within(card).getByText(/invalid credentials/)).toBeTruthy();
  await user.click(within(card).getByRole('radio', { name: 'Quarantined' }));
  expect(rows(card)).toBe(1);
  await user.click(within(card).getByRole('button', { name: 'Newest only' }));
  await user.click(within(card).getByRole('radio', { name: 'All' }));
  await waitFor(() => expect(rows(card)).toBe(50));
});

it('goes back from an integration, too', async () => {
  const { user } = renderApp(`/integrations/${db.integrations[0]?.id}`);
  const list = await screen.findByRole('region', { name: 'Deliveries' });
  const links = () => within(list).getAllByRole('link').length;
  expect(links()).toBe(12);
  await user.click(within(list).getByRole('button', { name: 'Older' }));
  expect(links()).toBe(50);
  await user.click(within(list).getByRole('button', { name: 'Older' }));
  await waitFor(() => expect(links()).toBe(100));
});

it('does not wait for a Prometheus that is only asked for metrics', async () => {
  const prometheus = db.integrations.find((one) => one.kind === 'prometheus');
  if (!prometheus) throw new Error('the mock has no Prometheus');
  Object.assign(prometheus, { url: 'http://prometheus:9090', last_delivery_at: null });
  renderApp('/integrations');
  const row = (await screen.findByRole('link', { name: prometheus.name })).closest('tr');
  expect(row?.textContent).toContain('is asked for metrics and sends nothing');
});
