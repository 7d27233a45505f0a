import { screen, waitFor } from '@testing-library/react';
import { expect, it } from 'vitest';
import { renderApp } from '../../../mock/renderApp';

it('changes the password, says which field was refused, and shows that other sessions have ended', async () => {
  const { user } = renderApp('/settings/account');
  await user.type(await screen.findByLabelText('The password you have'), 'wrong password!');
  await user.type(screen.getByLabelText('New password'), 'too short');
  await user.click(screen.getByRole('button', { name: 'Change password' }));
  expect(await screen.findByText('Use at least 15 characters.')).toBeTruthy();
  await user.type(screen.getByLabelText('New password'), ' but now longer');
  await user.click(screen.getByRole('button', { name: 'Change password' }));
  expect(await screen.findByText(/not your password/)).toBeTruthy();
  expect((await screen.findAllByRole('button', { name: 'End' })).length).toBeGreaterThan(0);
  await user.clear(screen.getByLabelText('The password you have'));
  await user.type(screen.getByLabelText('The password you have'), 'the right one');
  await user.click(screen.getByRole('button', { name: 'Change password' }));
  await waitFor(() => expect(screen.queryByRole('button', { name: 'End' })).toBeNull());
  expect((screen.getByLabelText('New password') as HTMLInputElement).value).toBe('');
});
