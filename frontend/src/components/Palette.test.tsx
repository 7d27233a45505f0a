import { screen, waitFor, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import { renderApp } from '../../mock/renderApp';

async function opened(path = '/incidents') {
  const app = renderApp(path);
  await screen.findAllByRole('row');
  await app.user.keyboard('{Control>}k{/Control}');
  return { ...app, input: await screen.findByRole('combobox', { name: 'Command or incident' }) };
}

const offered = () => screen.getAllByRole('option').map((one) => one.textContent);

it('goes to an incident by its number', async () => {
  const { user, at } = await opened();
  await user.type(await screen.findByRole('combobox', { name: 'Command or incident' }), 'inc-141{Enter}');
  await waitFor(() => expect(at()).toMatch('/incidents/INC-141?'));
});

it('goes to pages and acts, by the words of the action', async () => {
  const { user, input, at } = await opened();
  await user.type(input, 'anal{Enter}');
  await waitFor(() => expect(at()).toBe('/analytics'));
});

it('does what the page can do', async () => {
  const { user, input } = await opened();
  await user.type(input, 'new inc');
  expect(offered()[0]).toBe('New incidentIncident listn');
  await user.keyboard('{Enter}');
  expect(await screen.findByRole('dialog', { name: 'New incident' })).toBeTruthy();
});

it('filters the list by what it does not know', async () => {
  const { user, input, at } = await opened();
  await user.type(input, 'payments{Enter}');
  await waitFor(() => expect(at()).toBe('/incidents?q=payments'));
});

it('lists the same keys as the help, which names those that are held', async () => {
  const { user } = await opened();
  const commands = offered().length;
  await user.keyboard('{Escape}');
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  await user.keyboard('?');
  const help = await screen.findByRole('dialog', { name: 'Keys' });
  // The palette leaves out the key that opened it.
  expect(within(help).getAllByRole('term')).toHaveLength(commands + 1);
  const extend = within(help).getByText('Select on to the next').closest('div');
  expect(extend?.textContent).toBe('Select on to the nextShiftJ');
});

it('steps through the list from one incident to the next', async () => {
  const { user, at } = renderApp('/incidents');
  await screen.findAllByRole('row');
  await user.keyboard('jo');
  await screen.findByRole('heading', { name: /14% of requests/, level: 1 });
  await user.keyboard(']');
  await waitFor(() => expect(at()).toMatch('/incidents/INC-139?'));
  await user.keyboard('[[');
  await waitFor(() => expect(at()).toMatch('/incidents/INC-142?'));
});
