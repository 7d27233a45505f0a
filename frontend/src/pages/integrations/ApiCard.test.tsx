import { screen, waitFor, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import { db } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';

it('asks before a page with an address that is not saved is left', async () => {
  const hook = db.integrations[0];
  const { user, at } = renderApp(`/integrations/${hook?.id}`);
  const address = await screen.findByLabelText<HTMLInputElement>('Address');
  await user.clear(address);
  await user.type(address, 'http://prometheus:9090');
  const leave = () => user.click(screen.getAllByRole('link', { name: 'Analytics' })[0] as HTMLElement);
  await leave();
  const dialog = within(await screen.findByRole('dialog', { name: 'Leave without saving?' }));
  await user.click(dialog.getByRole('button', { name: 'Cancel' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(at()).toBe(`/integrations/${hook?.id}`);
  expect(address.value).toBe('http://prometheus:9090');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(screen.queryByRole('button', { name: 'Save' })).toBeNull());
  await leave();
  await waitFor(() => expect(at()).toBe('/analytics'));
});
