import { screen, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import { db } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { severityFill } from '../../components/Severity';

it('writes days as the rest of the page does', async () => {
  renderApp('/analytics');
  const table = await screen.findByRole('region', { name: 'Model use by day, table' });
  expect(within(table).getAllByText(/^\w{3} \d+ \w{3}$/).length).toBeGreaterThan(0);
  expect(within(table).queryByText(/^\d{4}-\d\d-\d\d$/)).toBeNull();
  expect(screen.getByText('Alerts per incident')).toBeTruthy();
});

it('shows in the legend the colours of the bars', async () => {
  renderApp('/analytics');
  await screen.findByText('Opened by day and severity');
  const [high] = screen.getAllByText('High');
  expect(high?.firstElementChild?.className).toContain(severityFill('high'));
});

it('claims nothing about answers that the server does not count', async () => {
  db.ai.totals = { ...db.ai.totals, failed: 2, orphaned: 0 };
  renderApp('/analytics');
  const budget = within(await screen.findByRole('region', { name: 'Budget today' }));
  expect(budget.getByText('2 calls failed.')).toBeTruthy();
  expect(budget.queryByText(/answer being used|not known/)).toBeNull();
});
