import { screen, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import { renderApp } from '../../../mock/renderApp';

it('says of every incident to keep whether it is still open', async () => {
  const { user } = renderApp('/incidents/INC-142');
  const facts = within(await screen.findByRole('region', { name: 'Facts' }));
  await user.click(facts.getByRole('button', { name: 'More actions' }));
  await user.click(await screen.findByRole('menuitem', { name: 'Merge into another incident' }));
  const dialog = within(await screen.findByRole('dialog'));
  expect(await dialog.findByRole('radio', { name: /^INC-141.*Acknowledged/ })).toBeTruthy();
  expect(dialog.getAllByRole('radio', { name: /Resolved|Learned/ }).length).toBeGreaterThan(0);
});
