import { screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { describe, expect, it, vi } from 'vitest';
import { db, findIncident } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { seed } from '../../../mock/seed/world';
import { server } from '../../../mock/testing';
import { SETTLE_MS } from './move';

const facts = () => within(screen.getByRole('region', { name: 'Facts' }));
const press = async (name: RegExp | string) => (await facts().findByRole('button', { name })) as HTMLElement;

const report = () => facts().queryByText('Acknowledged', { selector: '[aria-live] *' });
const acknowledged = () =>
  waitFor(() => expect(report()?.textContent).toMatch(/^Acknowledged \d\d:\d\d:\d\d/));

async function open(ref: string) {
  const app = renderApp(`/incidents/${ref}`);
  await screen.findByRole('heading', { level: 1 });
  return app;
}

it('does not take a second tap on Acknowledge for the step that took its place', async () => {
  const { user } = await open('INC-142');
  const button = await press(/^Acknowledge/);
  await user.click(button);
  await press('Investigate');
  await user.click(button);
  await user.keyboard('{Enter}');
  expect(findIncident('INC-142')?.state).toBe('acknowledged');
  await waitFor(() => expect(button.getAttribute('aria-disabled')).toBeNull(), { timeout: SETTLE_MS * 3 });
  await user.click(button);
  await waitFor(() => expect(findIncident('INC-142')?.state).toBe('investigating'));
});

it('takes a move back where the workflow has a way back, and promises it nowhere else', async () => {
  const { user } = await open('INC-140');
  await user.click(await press('Mark mitigated'));
  await user.click(await press('Undo'));
  await waitFor(() => expect(findIncident('INC-140')?.state).toBe('investigating'));
});

it('offers no undo of an acknowledgement, which cannot be undone', async () => {
  const { user } = await open('INC-142');
  await user.click(await press(/^Acknowledge/));
  await acknowledged();
  expect(facts().queryByRole('button', { name: 'Undo' })).toBeNull();
});

it('says who was faster, and not that something failed', async () => {
  const { user } = await open('INC-142');
  const incident = findIncident('INC-142');
  if (incident)
    Object.assign(incident, {
      state: 'acknowledged',
      acknowledged_at: new Date().toISOString(),
      acknowledged_by: 'Ana Ruiz',
    });
  await user.click(await press(/^Acknowledge/));
  expect(await facts().findByText('Already acknowledged by Ana Ruiz')).toBeTruthy();
  expect(facts().queryByRole('button', { name: 'Try again' })).toBeNull();
  expect(await press('Investigate')).toBeTruthy();
});

it('fails at once when the browser is offline, and sends nothing later', async () => {
  const { user } = await open('INC-142');
  vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);
  window.dispatchEvent(new Event('offline'));
  server.use(http.patch('*/api/v1/incidents/:id/state', () => HttpResponse.error(), { once: true }));
  await user.click(await press(/^Acknowledge/));
  expect(await facts().findByText('You are offline; nothing was sent.')).toBeTruthy();
  vi.restoreAllMocks();
  window.dispatchEvent(new Event('online'));
  expect(findIncident('INC-142')?.state).toBe('detected');
  await user.click(await press('Try again'));
  await acknowledged();
});

it('forgets what was said of one incident on the page of another', async () => {
  const { user, router } = await open('INC-142');
  await user.click(await press(/^Acknowledge/));
  await acknowledged();
  await router.navigate({ to: '/incidents/$ref', params: { ref: 'INC-141' } });
  await screen.findByRole('heading', { level: 1, name: /payments/ });
  expect(report()).toBeNull();
});

it('finds out that a move was made though its answer was lost', async () => {
  const { user } = await open('INC-142');
  server.use(
    http.patch('*/api/v1/incidents/:id/state', () => {
      const incident = findIncident('INC-142');
      const now = new Date().toISOString();
      if (incident) Object.assign(incident, { state: 'acknowledged', acknowledged_at: now });
      return HttpResponse.error();
    }),
  );
  await user.click(await press(/^Acknowledge/));
  await acknowledged();
  expect(facts().queryByRole('button', { name: 'Try again' })).toBeNull();
});

it('is confirmed by the answer, however long the rest takes to be read again', async () => {
  const { user } = await open('INC-142');
  server.use(http.get('*/api/v1/incidents/:id', () => new Promise<never>(() => {})));
  await user.click(await press(/^Acknowledge/));
  await acknowledged();
  expect(await press('Investigate')).toBeTruthy();
});

it('says that someone else resolved it first', async () => {
  const { user } = await open('INC-138');
  await user.keyboard('r');
  const incident = findIncident('INC-138');
  if (incident)
    Object.assign(incident, { state: 'resolved', open: false, resolved_at: new Date().toISOString() });
  const dialog = within(await screen.findByRole('dialog'));
  await user.click(dialog.getByRole('button', { name: 'Resolve' }));
  expect(await facts().findByText('Already resolved')).toBeTruthy();
  expect(screen.queryByRole('dialog')).toBeNull();
});

describe('an incident that fired again before anybody had it', () => {
  const untaken = async () => {
    seed('odd', 1);
    return open('INC-203');
  };

  it('says so, and is taken with one key, and given back', async () => {
    const { user } = await untaken();
    expect(facts().getByText('Nobody has acknowledged it')).toBeTruthy();
    expect((await press(/^Take it/)).textContent).toBe('Take ita');
    await user.keyboard('a');
    expect(await facts().findByText(/^Yours since/)).toBeTruthy();
    expect(facts().queryByText('Nobody has acknowledged it')).toBeNull();
    expect(findIncident('INC-203')).toMatchObject({ state: 'investigating', assigned_to: db.me.user.id });
    await user.click(await press('Undo'));
    expect(await facts().findByText('Nobody has acknowledged it')).toBeTruthy();
    expect(findIncident('INC-203')?.assigned_to).toBeNull();
  });

  it('is not taken from whoever was faster', async () => {
    const { user } = await untaken();
    const change = { assigned_to: 'someone', assigned_to_name: 'Ana Ruiz' };
    Object.assign(findIncident('INC-203') ?? {}, change);
    await user.click(await press(/^Take it/));
    expect(await facts().findByText('Already taken by Ana Ruiz')).toBeTruthy();
    expect(findIncident('INC-203')).toMatchObject(change);
  });

  it('is taken though the answer was lost', async () => {
    const { user } = await untaken();
    server.use(
      http.patch('*/api/v1/incidents/:id', () => {
        Object.assign(findIncident('INC-203') ?? {}, { assigned_to: db.me.user.id });
        return HttpResponse.error();
      }),
    );
    await user.click(await press(/^Take it/));
    expect(await facts().findByText(/^Yours since/)).toBeTruthy();
  });
});

describe('a resolved incident', () => {
  const moves = async () => {
    await press('Reopen');
    const names = facts()
      .getAllByRole('button')
      .map((one) => one.textContent?.trim());
    return names.filter((name) => name === 'Reopen' || name === 'Mark learned');
  };

  it('is reopened first while its alerts fire', async () => {
    seed('odd', 1);
    await open('INC-201');
    expect(await moves()).toEqual(['Reopen', 'Mark learned']);
  });

  it('is learned only by a second yes, for that is final', async () => {
    seed('odd', 1);
    const incident = findIncident('INC-201');
    if (incident) incident.open_alert_count = 0;
    const { user } = await open('INC-201');
    expect(await moves()).toEqual(['Mark learned', 'Reopen']);
    await user.click(await press('Mark learned'));
    const dialog = within(await screen.findByRole('dialog'));
    expect(dialog.getByText(/This is final/)).toBeTruthy();
    expect(findIncident('INC-201')?.state).toBe('resolved');
    await user.click(dialog.getByRole('button', { name: 'Mark learned' }));
    await waitFor(() => expect(findIncident('INC-201')?.state).toBe('learned'));
  });
});
