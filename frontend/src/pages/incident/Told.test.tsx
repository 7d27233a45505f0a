import { screen, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import { db } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { channelOf, notificationOf } from '../../../mock/seed/channels';
import { toldChannels } from './toldChannels';

const NOON = Date.parse('2026-01-24T12:00:00Z');
const slack = channelOf({ kind: 'slack', name: '#ops', address: '' });
const pager = channelOf({ kind: 'pagerduty', name: 'PagerDuty', address: '' });
const told = (channel: typeof slack, minute: number, more = {}) =>
  notificationOf(channel, { what: 'opened', title: 'down', ...more }, NOON + minute * 60_000);

it('stands below the facts, with what did not arrive', async () => {
  renderApp('/incidents/INC-142');
  const facts = within(await screen.findByRole('region', { name: 'Facts' }));
  const line = (await facts.findByText(/^Told:/)).textContent;
  expect(line).toMatch(/#ops on Slack \(not yet: it answered 503\), PagerDuty on call .*\d\d:\d\d:\d\d$/);
  expect(facts.getByRole('link', { name: '#ops' }).getAttribute('href')).toBe(
    `/notifications/${db.channels[1]?.id}`,
  );
});

it('is not there when nobody was told', async () => {
  db.notifications = [];
  renderApp('/incidents/INC-142');
  const facts = within(await screen.findByRole('region', { name: 'Facts' }));
  await screen.findByText('Deploy v2.41.0 exhausted the connection pool of checkout-api.');
  expect(facts.queryByText(/Told/)).toBeNull();
});

it('names each channel once, by when it was first told, with the trouble of now', () => {
  const newestFirst = [
    told(slack, 9, { status: 'failed', detail: 'it answered 404' }),
    told(pager, 5),
    told(slack, 1),
    told(pager, 0),
  ];
  expect(toldChannels(newestFirst)).toMatchObject([
    { name: 'PagerDuty', at: '2026-01-24T12:00:00.700Z', trouble: null },
    {
      name: '#ops',
      at: '2026-01-24T12:01:00.700Z',
      trouble: { text: 'failed: it answered 404', final: true },
    },
  ]);
});

it.each([
  [
    { status: 'waiting', attempts: 0 },
    { text: 'on its way', final: false },
  ],
  [
    { status: 'waiting', attempts: 2, detail: '' },
    { text: 'not yet: answered 503', final: false },
  ],
  [
    { status: 'dropped', detail: 'folded into a digest' },
    { text: 'not sent: folded into a digest', final: true },
  ],
])('says of %o what it means', (more, trouble) => {
  expect(toldChannels([told(slack, 0, more)])).toMatchObject([{ at: null, trouble }]);
});
