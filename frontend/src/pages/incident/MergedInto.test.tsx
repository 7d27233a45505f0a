import { screen, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import { db, findIncident } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';

async function merged(tab = '') {
  const [from, into] = [findIncident('INC-139'), findIncident('INC-142')];
  if (!from || !into) throw new Error('the shop has both');
  const over = { state: 'resolved', open: false, resolved_at: from.detected_at } as const;
  Object.assign(from, { ...over, open_alert_count: 0, merged_into: into.id });
  db.alerts.set(from.id, []);
  renderApp(`/incidents/INC-139${tab}`);
  await screen.findByRole('heading', { level: 1 });
  return within(screen.getByRole('region', { name: 'Facts' }));
}

it('says by its number where the incident and its alerts are now', async () => {
  const facts = await merged();
  await facts.findAllByRole('link', { name: 'INC-142' });
  const alerts = facts.getByText('Alerts', { selector: 'dt' }).nextElementSibling;
  expect(alerts?.textContent).toBe('moved to INC-142');
  expect(facts.getByText(/^This was merged into/).textContent).toBe(
    'This was merged into INC-142, which has its alerts and comments.',
  );
  expect(facts.queryByText('Runbook')).toBeNull();
  const parts = within(screen.getByRole('navigation', { name: 'Parts of the incident' }));
  expect(parts.getByRole('link', { name: /^Alerts/ }).textContent).toBe('Alerts moved');
});

it('does not say of alerts that moved that there were none', async () => {
  await merged('?tab=alerts');
  const empty = (await screen.findByRole('heading', { name: 'No alerts here any more' })).parentElement;
  const link = await within(empty as HTMLElement).findByRole('link', { name: 'INC-142' });
  expect(link.parentElement?.textContent).toMatch(/^They moved to INC-142,/);
  expect(screen.queryByText(/opened by hand/)).toBeNull();
});
