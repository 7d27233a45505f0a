import { screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { expect, it } from 'vitest';
import { db } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { seed } from '../../../mock/seed/world';
import { server } from '../../../mock/testing';

it('selects with x and acts on all that are selected', async () => {
  const { user } = renderApp('/incidents');
  await screen.findAllByRole('row');
  await user.keyboard('jxjx');
  const bar = await screen.findByRole('region', { name: 'Selection' });
  expect(within(bar).getByText('2 incidents selected')).toBeTruthy();
  await user.click(within(bar).getByRole('button', { name: 'Acknowledge' }));
  await waitFor(() => expect(db.incidents.filter((one) => one.state === 'detected')).toEqual([]));
});

it('extends the selection with Shift, takes all that is loaded, and lets go with Esc', async () => {
  const { user } = renderApp('/incidents');
  await screen.findAllByRole('row');
  await user.keyboard('jJJ');
  const bar = await screen.findByRole('region', { name: 'Selection' });
  expect(within(bar).getByText('3 incidents selected')).toBeTruthy();
  await user.click(within(bar).getByRole('button', { name: 'Select all 5' }));
  expect(within(bar).getByText('5 incidents selected')).toBeTruthy();
  await user.keyboard('{Escape}');
  expect(screen.queryByRole('region', { name: 'Selection' })).toBeNull();
});

it('says of a long list that only what is loaded can be selected', async () => {
  seed('shop', 300);
  const { user } = renderApp('/incidents?q=');
  await screen.findAllByRole('row');
  await user.keyboard('jx');
  const bar = await screen.findByRole('region', { name: 'Selection' });
  expect(within(bar).getByRole('button', { name: /^Select the \d+ loaded$/ })).toBeTruthy();
});

it('lets go of the selection when the list becomes another', async () => {
  const { user } = renderApp('/incidents');
  await screen.findAllByRole('row');
  await user.keyboard('jx');
  await screen.findByRole('region', { name: 'Selection' });
  await user.click(screen.getByRole('radio', { name: 'Closed' }));
  await waitFor(() => expect(screen.queryByRole('region', { name: 'Selection' })).toBeNull());
});

it('says who was quicker', async () => {
  const { user } = renderApp('/incidents');
  await screen.findAllByRole('row');
  await user.keyboard('j');
  const taken = db.incidents.find((one) => one.number === 142);
  Object.assign(taken ?? {}, { state: 'acknowledged', acknowledged_by: 'Jun Tanaka' });
  await user.keyboard('a');
  expect(await screen.findByText('Already acknowledged by Jun Tanaka')).toBeTruthy();
});

it('answers for each of the selected: moved, already there, or failed and still selected', async () => {
  server.use(
    http.patch('*/api/v1/incidents/:id/state', ({ params }) =>
      db.incidents.find((one) => one.id === params.id)?.number === 138
        ? new HttpResponse(null, { status: 503 })
        : undefined,
    ),
  );
  const { user } = renderApp('/incidents');
  await screen.findAllByRole('row');
  await user.keyboard('X');
  await user.click(await screen.findByRole('button', { name: 'Acknowledge' }));
  await screen.findAllByText('2 acknowledged, 1 already acknowledged, 1 already investigating, 1 failed');
  expect(screen.getByText('1 incident selected')).toBeTruthy();
});

it('asks before it resolves what is selected, and takes it back', async () => {
  const [first] = db.incidents.filter((one) => one.open);
  Object.assign(first ?? {}, { root_cause: 'Known already' });
  const open = db.incidents.filter((one) => one.open);
  for (const one of open) one.open_alert_count = one === first ? 0 : 1;
  const { user } = renderApp('/incidents');
  await screen.findAllByRole('row');
  await user.keyboard('X');
  await user.click(await screen.findByRole('button', { name: 'Resolve' }));
  const dialog = await screen.findByRole('dialog', { name: 'Resolve 5 incidents?' });
  expect(db.incidents.filter((one) => one.open)).toHaveLength(5);
  expect(within(dialog).getByText(/^4 of them are still firing\./)).toBeTruthy();
  await user.type(within(dialog).getByLabelText('Root cause'), 'A full disk');
  await user.click(within(dialog).getByRole('button', { name: 'Resolve 5' }));
  await screen.findAllByText('5 resolved');
  expect(open.map((one) => one.root_cause).sort()).toEqual([
    ...Array(4).fill('A full disk'),
    'Known already',
  ]);
  expect(screen.getByText('Undo opens them again as investigating.')).toBeTruthy();
  await user.click(screen.getByRole('button', { name: 'Undo' }));
  await screen.findAllByText('5 reopened');
  expect(open.map((one) => one.state)).toEqual(Array(5).fill('investigating'));
});

it('keeps the cause that was written when resolving fails', async () => {
  server.use(http.patch('*/api/v1/incidents/:id/state', () => new HttpResponse(null, { status: 503 })));
  const { user } = renderApp('/incidents');
  await screen.findAllByRole('row');
  await user.keyboard('jx');
  await user.click(await screen.findByRole('button', { name: 'Resolve' }));
  await user.type(await screen.findByLabelText('Root cause'), 'A full disk');
  await user.click(screen.getByRole('button', { name: 'Resolve 1' }));
  await screen.findAllByText('1 failed');
  await user.click(await screen.findByRole('button', { name: 'Resolve' }));
  expect((await screen.findByLabelText<HTMLTextAreaElement>('Root cause')).value).toBe('A full disk');
});
