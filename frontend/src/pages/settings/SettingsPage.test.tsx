import { screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { db } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';

it.each([
  ['audit', 'The audit log is for admins'],
  ['keys', 'API keys are for admins'],
])('refuses %s to a viewer in a sentence', async (section, told) => {
  db.me.role = 'viewer';
  renderApp(`/settings/${section}`);
  expect(await screen.findByText(told)).toBeTruthy();
});

it('brings the chosen tab into view', async () => {
  const scrolled = vi.spyOn(HTMLElement.prototype, 'scrollIntoView');
  renderApp('/settings/audit');
  const tab = await screen.findByRole('link', { name: 'Audit log' });
  expect(scrolled.mock.contexts).toContain(tab);
});
