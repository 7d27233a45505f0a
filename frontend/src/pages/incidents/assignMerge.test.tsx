import { screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { expect, it } from 'vitest';
import { db } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { server } from '../../../mock/testing';

const one = (number: number) => db.incidents.find((incident) => incident.number === number);
const owners = () => [142, 141, 140, 139, 138].map((number) => one(number)?.assigned_to_name ?? null);
const bar = () => within(screen.getByRole('region', { name: 'Selection' }));

async function selectAll(path = '/incidents') {
  const view = renderApp(path);
  await screen.findAllByRole('row');
  await view.user.keyboard('X');
  await screen.findByRole('region', { name: 'Selection' });
  return view;
}

async function ask(user: Awaited<ReturnType<typeof selectAll>>['user'], action: 'Assign' | 'Merge') {
  await user.click(bar().getByRole('button', { name: action }));
  return within(await screen.findByRole('dialog'));
}

it('assigns all to one person, and each back to whom it was with by Undo', async () => {
  const before = owners();
  expect(before).toEqual([null, null, 'Ana Ruiz', null, 'Jun Tanaka']);
  const { user } = await selectAll();
  const dialog = await ask(user, 'Assign');
  await user.selectOptions(dialog.getByLabelText('Owner'), 'Ana Ruiz');
  expect(dialog.getByText('1 of them has another owner now.')).toBeTruthy();
  await user.click(dialog.getByRole('button', { name: 'Assign 5' }));
  await screen.findAllByText('5 assigned to Ana Ruiz');
  expect(owners()).toEqual(Array(5).fill('Ana Ruiz'));
  await user.click(screen.getByRole('button', { name: 'Undo' }));
  await screen.findAllByText('5 assigned as before');
  expect(owners()).toEqual(before);
});

it('gives them back to nobody', async () => {
  const { user } = await selectAll();
  const dialog = await ask(user, 'Assign');
  await user.selectOptions(dialog.getByLabelText('Owner'), 'Nobody');
  expect(dialog.getByText('2 of them have an owner now.')).toBeTruthy();
  await user.click(dialog.getByRole('button', { name: 'Give 5 back' }));
  await screen.findAllByText('5 given back');
  expect(owners()).toEqual(Array(5).fill(null));
});

it('takes the row one stands on with m', async () => {
  const { user } = renderApp('/incidents');
  await screen.findAllByRole('row');
  await user.keyboard('jm');
  await screen.findAllByText('1 assigned to you');
  expect(one(142)?.assigned_to).toBe(db.me.user.id);
});

it('names which could not be assigned, and keeps those selected', async () => {
  server.use(
    http.patch('*/api/v1/incidents/:id', ({ params }) =>
      params.id === one(140)?.id
        ? HttpResponse.json({ status: 409, detail: 'it was merged' }, { status: 409 })
        : undefined,
    ),
  );
  const { user } = await selectAll();
  const dialog = await ask(user, 'Assign');
  await user.click(dialog.getByRole('button', { name: 'Assign 5' }));
  const told = await screen.findByText('4 assigned to you, 1 failed.');
  expect(told.parentElement?.textContent).toContain('INC-140: It was merged. What failed is selected.');
  expect(bar().getByText('1 incident selected')).toBeTruthy();
});

it('merges all into the open one that began first, one after the other', async () => {
  let atOnce = 0;
  let most = 0;
  server.use(
    http.post('*/api/v1/incidents/:id/merge', async () => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise((done) => setTimeout(done, 5));
      atOnce -= 1;
    }),
  );
  const { user, at } = await selectAll();
  const dialog = await ask(user, 'Merge');
  expect(dialog.getByRole('radio', { name: /^INC-138/ })).toHaveProperty('checked', true);
  await user.click(dialog.getByRole('radio', { name: /^INC-142/ }));
  await user.click(dialog.getByRole('button', { name: 'Merge 4 into INC-142' }));
  await screen.findAllByText('4 merged into INC-142');
  expect([141, 140, 139, 138].map((number) => one(number)?.merged_into)).toEqual(Array(4).fill(one(142)?.id));
  expect(one(142)?.open).toBe(true);
  expect(most).toBe(1);
  await user.click(screen.getByRole('button', { name: 'Open' }));
  await waitFor(() => expect(at()).toContain('/incidents/INC-142'));
});

it('can be stopped between two merges', async () => {
  const free: (() => void)[] = [];
  server.use(
    http.post(
      '*/api/v1/incidents/:id/merge',
      () => new Promise<undefined>((done) => free.push(() => done(undefined))),
    ),
  );
  const { user } = await selectAll();
  const dialog = await ask(user, 'Merge');
  await user.click(dialog.getByRole('button', { name: 'Merge 4 into INC-138' }));
  await waitFor(() => expect(free).toHaveLength(1));
  free[0]?.();
  await waitFor(() => expect(bar().getByRole('status').textContent).toBe('1 of 4'));
  await waitFor(() => expect(free).toHaveLength(2));
  await user.click(bar().getByRole('button', { name: 'Stop' }));
  free[1]?.();
  await screen.findAllByText(/merged into INC-138, stopped before \d others/);
  expect(free).toHaveLength(2);
});

it('does not offer what is closed for good, and says why what fires cannot go to what is over', async () => {
  const learned = db.incidents.find((incident) => incident.state === 'learned');
  const { user } = await selectAll('/incidents?q=');
  const dialog = await ask(user, 'Merge');
  expect(dialog.queryByRole('radio', { name: new RegExp(`^INC-${learned?.number}\\b`) })).toBeNull();
  const resolved = db.incidents.find((incident) => incident.state === 'resolved');
  await user.click(dialog.getByRole('radio', { name: new RegExp(`^INC-${resolved?.number}\\b`) }));
  expect(dialog.getAllByText(/is resolved, and alerts of the others still fire/).length).toBeGreaterThan(0);
  await user.click(dialog.getByRole('button', { name: /^Merge \d+ into/ }));
  expect(db.incidents.some((incident) => incident.merged_into)).toBe(false);
});

it('wants two to merge', async () => {
  const { user } = renderApp('/incidents');
  await screen.findAllByRole('row');
  await user.keyboard('jx');
  await user.click(bar().getByRole('button', { name: 'Merge' }));
  expect(screen.queryByRole('dialog', { name: /^Merge/ })).toBeNull();
  expect((await screen.findAllByText(/Select two incidents or more/)).length).toBeGreaterThan(0);
});
