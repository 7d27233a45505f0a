import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { db } from '../../mock/db';
import { renderApp } from '../../mock/renderApp';

it('names the project in the header of a phone, and changes it there', async () => {
  const { user } = renderApp('/analytics');
  const menu = await screen.findByRole('button', { name: 'Project Production, change' });
  expect(menu.closest('header')).toBeTruthy();
  await user.click(menu);
  await user.click(await screen.findByRole('menuitemradio', { name: 'Staging' }));
  expect(await screen.findByRole('button', { name: 'Project Staging, change' })).toBeTruthy();
  expect(db.me.project.name).toBe('Staging');
});
