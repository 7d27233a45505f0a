import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { db } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';

const prometheus = () => {
  const found = db.integrations.find((one) => one.kind === 'prometheus');
  if (!found) throw new Error('the mock has no Prometheus');
  return found;
};

it('tests the address that is typed, which it saves first', async () => {
  const { user } = renderApp(`/integrations/${prometheus().id}`);
  const address = await screen.findByLabelText('Address');
  await user.clear(address);
  await user.type(address, 'http://elsewhere:9090');
  await user.click(screen.getByRole('button', { name: 'Save and test' }));
  expect(await screen.findByText(/http:\/\/elsewhere:9090 answered/)).toBeTruthy();
  expect(screen.getByText('19 ms')).toBeTruthy();
  expect(prometheus().url).toBe('http://elsewhere:9090');
  expect(screen.queryByRole('button', { name: 'Save' })).toBeNull();
});

it('has no two landmarks of one name', async () => {
  const alertmanager = db.integrations.find((one) => one.kind === 'alertmanager');
  renderApp(`/integrations/${alertmanager?.id}`);
  expect(await screen.findAllByRole('group', { name: 'shell' })).toHaveLength(2);
  const names = screen.getAllByRole('region').map((one) => one.getAttribute('aria-label'));
  const labels = names.filter((name) => name !== null);
  expect(new Set(labels).size).toBe(labels.length);
});

it('says that there is no such integration, and does not offer to try again', async () => {
  renderApp('/integrations/nothing');
  expect(await screen.findByText('There is no such integration.')).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull();
});

it('sends a viewer to an admin for a new token, not to a menu they do not have', async () => {
  db.me.role = 'viewer';
  renderApp(`/integrations/${prometheus().id}`);
  expect(await screen.findByText(/an admin can make a new one here/)).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'More actions' })).toBeNull();
});
