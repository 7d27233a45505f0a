import { screen, waitFor, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import { renderApp } from '../../../mock/renderApp';

it('asks before what was changed is thrown away, and only then', async () => {
  const { user } = renderApp('/incidents/INC-142');
  await screen.findByRole('region', { name: 'Facts' });
  await user.keyboard('e');
  await screen.findByRole('dialog');
  await user.keyboard('{Escape}');
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  await user.keyboard('e');
  const dialog = within(await screen.findByRole('dialog'));
  const service = dialog.getByLabelText<HTMLInputElement>('Service');
  await user.type(service, '-eu');
  await user.keyboard('{Escape}');
  expect(dialog.getByText('Your changes are not saved.')).toBeTruthy();
  await user.click(dialog.getByRole('button', { name: 'Go back' }));
  expect(service.value).toBe('checkout-api-eu');
});
