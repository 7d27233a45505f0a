import { screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { expect, it } from 'vitest';
import { db } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { server } from '../../../mock/testing';

const STATE = '*/api/v1/incidents/:id/state';
const open = () => db.incidents.filter((one) => one.open);

/** Resolves all five open incidents from the list. */
async function resolveAll() {
  const { user } = renderApp('/incidents');
  await screen.findAllByRole('row');
  await user.keyboard('X');
  await user.click(await screen.findByRole('button', { name: 'Resolve' }));
  await user.click(await screen.findByRole('button', { name: 'Resolve 5' }));
  const bar = () => within(screen.getByRole('region', { name: 'Selection' }));
  return { user, bar };
}

it('waits when there were too many requests, says so, and goes on with those that are left', async () => {
  let refusals = 2;
  server.use(
    http.patch(STATE, () => {
      refusals -= 1;
      return refusals < 0
        ? undefined
        : HttpResponse.json({ status: 429 }, { status: 429, headers: { 'retry-after': '1' } });
    }),
  );
  const { bar } = await resolveAll();
  await waitFor(() => expect(bar().getByRole('status').textContent).toBe('0 of 5, waiting 1 s'));
  expect(screen.getByText('Too many requests: waiting 1 s to send it')).toBeTruthy();
  await screen.findAllByText('5 resolved');
  expect(open()).toEqual([]);
});

it('can be stopped, and keeps those selected that it has not come to', async () => {
  const free: (() => void)[] = [];
  server.use(http.patch(STATE, () => new Promise<undefined>((done) => free.push(() => done(undefined)))));
  const { user, bar } = await resolveAll();
  await waitFor(() => expect(free).toHaveLength(4));
  expect(bar().getByRole('status').textContent).toBe('0 of 5');
  await user.click(bar().getByRole('button', { name: 'Stop' }));
  for (const one of free) one();
  await screen.findAllByText('4 resolved, stopped before 1 other');
  expect(bar().getByText('1 incident selected')).toBeTruthy();
  expect(open()).toHaveLength(1);
});

it('keeps what failed in the bar until it is dismissed, and does not try all when none can do', async () => {
  let asked = 0;
  server.use(
    http.patch(STATE, () => {
      asked += 1;
      return HttpResponse.json({ status: 403, detail: 'your role does not allow this' }, { status: 403 });
    }),
  );
  const { user, bar } = await resolveAll();
  const told = await screen.findByText('4 failed, stopped before 1 other.');
  expect(told.parentElement?.textContent).toMatch(
    /INC-\d+, INC-\d+, INC-\d+, INC-\d+: Your role does not allow this\. What failed is selected\./,
  );
  expect(asked).toBe(4);
  expect(bar().getByText('5 incidents selected')).toBeTruthy();
  await user.click(bar().getByRole('button', { name: 'Dismiss' }));
  expect(bar().queryByText(/failed/)).toBeNull();
});
