import { screen, waitFor, within } from '@testing-library/react';
import { http } from 'msw';
import { expect, it } from 'vitest';
import { db } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { server } from '../../../mock/testing';

async function open(index: number) {
  const channel = db.channels[index];
  if (!channel) throw new Error('the mock has no such channel');
  const view = renderApp(`/notifications/${channel.id}`);
  await screen.findByRole('heading', { level: 1, name: channel.name });
  return { ...view, channel: () => db.channels[index] };
}
const menu = async (user: Awaited<ReturnType<typeof open>>['user'], item: string) => {
  await user.click(screen.getByRole('button', { name: 'More actions' }));
  await user.click(await screen.findByRole('menuitem', { name: item }));
};

it('sends a test and tells what the other side said', async () => {
  const { user } = await open(0);
  await user.click(screen.getByRole('button', { name: 'Send a test' }));
  const said = await screen.findByText('The test arrived.');
  expect(said.parentElement?.textContent).toBe('The test arrived. It was taken (200) 213 ms');
  const list = within(screen.getByRole('list', { name: 'Recent notifications' }));
  await waitFor(() => expect(list.getAllByRole('listitem')[0]?.textContent).toMatch(/^Sent.*test/));
});

it('says that a test did not arrive, and why', async () => {
  const { user } = await open(1);
  await user.click(screen.getByRole('button', { name: 'Send a test' }));
  const said = await screen.findByText('The test did not arrive.');
  expect(said.parentElement?.textContent).toBe('The test did not arrive. It answered 503 213 ms');
});

it('saves first what is typed, and only what differs', async () => {
  const sent: unknown[] = [];
  server.use(
    http.patch('*/notification-channels/:id', async ({ request }) => {
      sent.push(await request.clone().json());
    }),
  );
  const { user, channel } = await open(2);
  await user.type(screen.getByLabelText('New address'), 'https://new.example/hook');
  await user.selectOptions(screen.getByLabelText('Severity'), 'Every severity');
  await user.click(screen.getByRole('button', { name: 'Save and send a test' }));
  expect(await screen.findByText('The test arrived.')).toBeTruthy();
  expect(sent).toEqual([{ url: 'https://new.example/hook', min_severity: 'info' }]);
  expect(screen.getByLabelText<HTMLInputElement>('New address').value).toBe('');
  expect(screen.getByText('Now new.example/…hook. Leave it empty to keep that.')).toBeTruthy();
  expect(channel()?.min_severity).toBe('info');
  expect(screen.queryByRole('button', { name: 'Save' })).toBeNull();
});

it('asks before a page with a change that is not saved is left', async () => {
  const { user, at } = await open(0);
  await user.type(screen.getByLabelText('Name'), ' 2');
  await user.click(screen.getAllByRole('link', { name: 'Analytics' })[0] as HTMLElement);
  const dialog = within(await screen.findByRole('dialog', { name: 'Leave without saving?' }));
  await user.click(dialog.getByRole('button', { name: 'Cancel' }));
  expect(at()).toContain('/notifications/');
  await user.click(screen.getByRole('button', { name: 'Undo' }));
  await user.click(screen.getAllByRole('link', { name: 'Analytics' })[0] as HTMLElement);
  await waitFor(() => expect(at()).toBe('/analytics'));
});

it('is turned off, and on again by Undo', async () => {
  const { user, channel } = await open(0);
  await user.click(screen.getByRole('button', { name: 'Turn off' }));
  expect(await screen.findByText('Off, it is told nothing')).toBeTruthy();
  expect(channel()?.enabled).toBe(false);
  await user.click((await screen.findAllByRole('button', { name: 'Undo' }))[0] as HTMLElement);
  await waitFor(() => expect(channel()?.enabled).toBe(true));
  expect(await screen.findByRole('button', { name: 'Turn off' })).toBeTruthy();
});

it('asks before it is turned off with something still to send, and says that this is lost', async () => {
  const { user, channel } = await open(1);
  await user.click(screen.getByRole('button', { name: 'Turn off' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Turn #ops off?' }));
  expect(dialog.getByText(/^12 notifications that it still has to send will not be sent/)).toBeTruthy();
  expect(channel()?.enabled).toBe(true);
  await user.click(dialog.getByRole('button', { name: 'Turn off' }));
  expect(await screen.findByText('Off, it is told nothing')).toBeTruthy();
  expect(channel()?.enabled).toBe(false);
});

it('makes a new signing secret for a webhook alone, and shows it once', async () => {
  const { user } = await open(2);
  await menu(user, 'New signing secret');
  await user.click(await screen.findByRole('button', { name: 'Make a new secret' }));
  const shown = within(await screen.findByRole('dialog', { name: /^Signing secret of/ }));
  expect(shown.getByText(/^whsec_/)).toBeTruthy();
  expect(shown.getByText(/next 24 hours is signed with the old one/)).toBeTruthy();
});

it('asks before it deletes, and says what is lost', async () => {
  const { user, at } = await open(1);
  await user.click(screen.getByRole('button', { name: 'More actions' }));
  expect(screen.queryByRole('menuitem', { name: 'New signing secret' })).toBeNull();
  await user.click(await screen.findByRole('menuitem', { name: 'Delete' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Delete #ops?' }));
  expect(dialog.getByText(/12 notifications that it still has to send/)).toBeTruthy();
  expect(db.channels).toHaveLength(3);
  await user.click(dialog.getByRole('button', { name: 'Delete' }));
  await waitFor(() => expect(at()).toBe('/notifications'));
  expect(db.channels.map((one) => one.name)).not.toContain('#ops');
});

it('lists what was sent with why it was not, and links to its incidents', async () => {
  await open(1);
  const items = await within(await screen.findByRole('list', { name: 'Recent notifications' })).findAllByRole(
    'listitem',
  );
  const [waiting, failed, digest] = items.map((one) => one.textContent);
  expect(waiting).toMatch(/^Waitinglikely cause.*It answered 503\. 4 attempts so far, next at \S/);
  expect(failed).toMatch(/^Failedopened.*after 9 attempts$/);
  expect(digest).toMatch(/INC-131INC-130INC-129and 2 more$/);
});

it('lets a viewer read, and changes nothing', async () => {
  db.me.role = 'viewer';
  const { user, channel } = await open(1);
  expect(screen.queryByRole('button', { name: 'More actions' })).toBeNull();
  expect(screen.getByLabelText('Name').closest('fieldset')?.disabled).toBe(true);
  await user.click(screen.getByRole('button', { name: 'Turn off' }));
  await user.click(screen.getByRole('button', { name: 'Send a test' }));
  expect(screen.queryByText(/The test/)).toBeNull();
  expect(channel()?.enabled).toBe(true);
});

it('says that a channel of somebody else does not exist', async () => {
  renderApp('/notifications/019ac000-0000-7000-8000-00000000ffff');
  expect(await screen.findByText(/not found|does not exist|nothing here/i)).toBeTruthy();
});
