import { screen, waitFor, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import { renderApp } from '../../../mock/renderApp';

async function makeKey() {
  const { user } = renderApp('/settings/keys');
  await user.click(await screen.findByRole('button', { name: 'New key' }));
  await user.type(await screen.findByLabelText('What uses it'), 'deploys');
  await user.click(screen.getByRole('button', { name: 'Make key' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Key for deploys' }));
  return { user, dialog };
}
const gone = () => waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());

it('does not lose a key that was not copied to Esc or a stray click', async () => {
  const { user, dialog } = await makeKey();
  await user.keyboard('{Escape}');
  expect(dialog.getByText(/The key was not copied/)).toBeTruthy();
  await user.click(dialog.getByRole('button', { name: 'Go back' }));
  expect(dialog.queryByText(/The key was not copied/)).toBeNull();
  await user.click(document.body);
  await user.click(dialog.getByRole('button', { name: 'Close anyway' }));
  await gone();
});

it('closes at once when it was copied, or when one says that one is done', async () => {
  const first = await makeKey();
  await first.user.click(first.dialog.getByRole('button', { name: 'Copy' }));
  await first.dialog.findByText('Copied');
  await first.user.keyboard('{Escape}');
  await gone();
});
