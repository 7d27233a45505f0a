import { screen, waitFor, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import { db } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { seed } from '../../../mock/seed/world';

const row = async (name: string) => (await screen.findByRole('link', { name })).closest('tr')?.textContent;

async function addChannel() {
  const { user, at } = renderApp('/notifications');
  await user.click(await screen.findByRole('button', { name: 'Add a channel' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Add a channel' }));
  return { user, at, dialog };
}

it('says of every channel in words whether it delivers', async () => {
  renderApp('/notifications');
  expect(await row('PagerDuty on call')).toContain('Delivered 2m ago');
  expect(await row('#ops')).toContain('Failing for 40m: it answered 503, 12 waiting');
  expect(await row('Ticket system of the platform team')).toContain('Off, it is told nothing');
  expect(await row('Ticket system of the platform team')).toContain('Medium and worse, 3 services');
});

it('says what it is for while there is none, and warns when all are off', async () => {
  seed('quiet', 5);
  const first = renderApp('/notifications');
  expect(await screen.findByText('Nobody is told of an incident yet')).toBeTruthy();
  expect(screen.getAllByRole('button', { name: 'Add a channel' })).toHaveLength(1);
  first.leave();
  seed('shop', 5);
  for (const one of db.channels) one.enabled = false;
  renderApp('/notifications');
  expect(await screen.findByText(/Every channel is off, so nobody is told/)).toBeTruthy();
});

it('adds a Slack channel and opens it, without a secret in sight', async () => {
  const { user, at, dialog } = await addChannel();
  await user.click(dialog.getByRole('button', { name: 'Add the channel' }));
  expect(await dialog.findByText('An address is needed.')).toBeTruthy();
  await user.type(dialog.getByLabelText('Name'), '#night');
  await user.type(dialog.getByLabelText('Webhook URL'), 'https://hooks.slack.com/services/T0/B0/secret');
  await user.selectOptions(dialog.getByLabelText('Severity'), 'Critical only');
  await user.click(dialog.getByRole('checkbox', { name: 'Someone acknowledges it' }));
  await user.click(dialog.getByRole('button', { name: 'Add the channel' }));
  await screen.findByRole('heading', { level: 1, name: '#night' });
  const made = db.channels.at(-1);
  expect(at()).toBe(`/notifications/${made?.id}`);
  expect(made).toMatchObject({ kind: 'slack', min_severity: 'critical', critical_faults: true });
  expect(made?.tells).toContain('acknowledged');
  expect(document.body.textContent).not.toContain('services/T0');
});

it('asks PagerDuty for its key, and not for an address', async () => {
  const { user, dialog } = await addChannel();
  await user.click(dialog.getByRole('radio', { name: 'PagerDuty' }));
  await user.type(dialog.getByLabelText('Integration key'), 'too short');
  await user.click(dialog.getByRole('button', { name: 'Add the channel' }));
  expect(await dialog.findByText('The key has 32 letters and digits.')).toBeTruthy();
  await user.clear(dialog.getByLabelText('Integration key'));
  await user.type(dialog.getByLabelText('Integration key'), '0123456789abcdef0123456789abcdef');
  await user.click(dialog.getByRole('button', { name: 'Add the channel' }));
  await screen.findByRole('heading', { level: 1, name: 'PagerDuty' });
  expect(db.channels.at(-1)?.address).toBe('events.pagerduty.com/…cdef');
});

it('shows the signing secret of a webhook once, and asks before it is lost', async () => {
  const { user, at, dialog } = await addChannel();
  await user.click(dialog.getByRole('radio', { name: 'Webhook' }));
  await user.type(dialog.getByLabelText('Address'), 'https://tickets.example/in');
  await user.click(dialog.getByRole('button', { name: 'Add the channel' }));
  const shown = within(await screen.findByRole('dialog', { name: 'Signing secret of Webhook' }));
  expect(shown.getByText(/^whsec_/)).toBeTruthy();
  await user.keyboard('{Escape}');
  expect(shown.getByText(/The secret was not copied/)).toBeTruthy();
  await user.click(shown.getByRole('button', { name: 'Copy' }));
  await user.click(shown.getByRole('button', { name: 'Done' }));
  await waitFor(() => expect(at()).toBe(`/notifications/${db.channels.at(-1)?.id}`));
  expect(screen.queryByText(/^whsec_/)).toBeNull();
});

it('puts what the server refuses at its field, and loses nothing typed to a stray Escape', async () => {
  const { user, dialog } = await addChannel();
  await user.type(dialog.getByLabelText('Webhook URL'), 'http://169.254.169.254/');
  await user.click(dialog.getByRole('button', { name: 'Add the channel' }));
  const said = await dialog.findByText('This address is not allowed.');
  expect(said.id).toBe(dialog.getByLabelText('Webhook URL').getAttribute('aria-describedby'));
  await user.keyboard('{Escape}');
  expect(dialog.getByText('The channel is not added yet.')).toBeTruthy();
});

it('lets a viewer see, and says why nothing can be added', async () => {
  db.me.role = 'viewer';
  const { user } = renderApp('/notifications');
  await row('#ops');
  await user.click(screen.getByRole('button', { name: 'Add a channel' }));
  expect((await screen.findAllByText(/Only an admin or higher can do this/)).length).toBeGreaterThan(0);
  expect(screen.queryByRole('dialog', { name: 'Add a channel' })).toBeNull();
});
