import { screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { expect, it } from 'vitest';
import { changeIncident, db, findIncident } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { server } from '../../../mock/testing';

const facts = () => within(screen.getByRole('region', { name: 'Facts' }));
const choose = async (user: ReturnType<typeof renderApp>['user'], name: RegExp | string) =>
  user.click(await screen.findByRole('menuitem', { name }));

async function open(ref: string) {
  const app = renderApp(`/incidents/${ref}`);
  await screen.findByRole('heading', { level: 1 });
  return app;
}

it('is put off by key, says until when, and is woken', async () => {
  const { user } = await open('INC-142');
  await user.keyboard('s');
  await choose(user, /^For 1 hour/);
  expect(await facts().findByText(/^Snoozed until/)).toBeTruthy();
  const until = Date.parse(findIncident('INC-142')?.snoozed_until ?? '');
  expect(Math.abs(until - Date.now() - 3_600_000)).toBeLessThan(10_000);
  expect(findIncident('INC-142')?.state).toBe('detected');
  expect(await screen.findByText('snoozed it', { exact: false })).toBeTruthy();
  await user.click(facts().getByRole('button', { name: 'Wake now' }));
  await waitFor(() => expect(facts().queryByText(/^Snoozed until/)).toBeNull());
  expect(findIncident('INC-142')?.snoozed_until).toBeNull();
  expect(await screen.findByText('woke it', { exact: false })).toBeTruthy();
});

it('is put off until nine in the morning of this browser, and then for another time', async () => {
  const { user } = await open('INC-142');
  await user.click(facts().getByRole('button', { name: /^Snooze/ }));
  await choose(user, /^Until 9:00/);
  await facts().findByText(/^Snoozed until/);
  const until = new Date(findIncident('INC-142')?.snoozed_until ?? '');
  expect([until.getHours(), until.getMinutes(), until.getSeconds()]).toEqual([9, 0, 0]);
  expect(until.getTime()).toBeGreaterThan(Date.now());
  await user.click(facts().getByRole('button', { name: /^Snooze/ }));
  expect(await screen.findByRole('menuitem', { name: 'Wake now' })).toBeTruthy();
  await choose(user, /^For 15 minutes/);
  await waitFor(() =>
    expect(Date.parse(findIncident('INC-142')?.snoozed_until ?? '')).toBeLessThan(Date.now() + 1_000_000),
  );
});

it('says that it could not be put off', async () => {
  server.use(http.post('*/api/v1/incidents/:id/snooze', () => new HttpResponse(null, { status: 500 })));
  const { user } = await open('INC-142');
  await user.keyboard('s');
  await choose(user, /^For 15 minutes/);
  expect((await screen.findAllByText('The server failed.')).length).toBeGreaterThan(0);
  expect(facts().queryByText(/^Snoozed until/)).toBeNull();
});

it('shows the end of a snooze as soon as the server tells of it', async () => {
  const incident = findIncident('INC-142');
  if (incident) incident.snoozed_until = new Date(Date.now() + 60_000).toISOString();
  await open('INC-142');
  await facts().findByText(/^Snoozed until/);
  await screen.findByText('Live');
  if (incident) changeIncident(incident, { snoozed_until: null });
  await waitFor(() => expect(facts().queryByText(/^Snoozed until/)).toBeNull());
});

it('is offered for nothing that is over, and to no viewer', async () => {
  const resolved = db.incidents.find((one) => one.state === 'resolved');
  await open(`INC-${resolved?.number}`);
  expect(facts().queryByRole('button', { name: /^Snooze/ })).toBeNull();
});

it('tells a viewer until when, and no more', async () => {
  db.me.role = 'viewer';
  Object.assign(findIncident('INC-142') ?? {}, {
    snoozed_until: new Date(Date.now() + 60_000).toISOString(),
  });
  const { user } = await open('INC-142');
  await facts().findByText(/^Snoozed until/);
  expect(facts().queryByRole('button', { name: 'Wake now' })).toBeNull();
  await user.keyboard('s');
  expect(screen.queryByRole('menuitem')).toBeNull();
});
