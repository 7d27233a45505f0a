import { screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { expect, it } from 'vitest';
import { emit } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { server } from '../../../mock/testing';
import type { EventType } from '../../api/types';

const READS = ['incidents/:id', 'incidents/:id/:part', 'changes'];

/** Everything of the incident is read again, and in vain. */
async function fail(busy = () => new HttpResponse(null, { status: 503 })) {
  await screen.findByText('Live');
  server.use(...READS.map((path) => http.get(`*/api/v1/${path}`, busy)));
  emit('resync' as EventType, {});
}

it.each([
  ['Timeline', 'Incident opened'],
  ['What changed', 'deploy v2.41.0 by ana'],
  ['Most likely cause', 'Deploy v2.41.0 exhausted the connection pool of checkout-api.'],
])('%s: keeps what it has when it can not be read again, and says of when it is', async (name, text) => {
  renderApp('/incidents/INC-142');
  const card = within(await screen.findByRole('region', { name }));
  await card.findByText(text);
  await fail();
  const note = await card.findByText(/This was read/);
  expect(note.textContent).toMatch(/^The server is busy.* This was read \d+s ago\./);
  expect(card.getByText(text)).toBeTruthy();
  server.resetHandlers();
  card.getByRole('button', { name: 'Try again' }).click();
  await waitFor(() => expect(card.queryByText(/This was read/)).toBeNull());
});

it('keeps the facts and the alerts', async () => {
  renderApp('/incidents/INC-142?tab=alerts');
  await screen.findByText('The same for all 3');
  await fail();
  await waitFor(() => expect(screen.getAllByText(/This was read/)).toHaveLength(2));
  expect(screen.getByText('The same for all 3')).toBeTruthy();
  expect(screen.getByText('Not acknowledged')).toBeTruthy();
});

it('says once that nobody answers, and of each card only of when it is', async () => {
  renderApp('/incidents/INC-142');
  const timeline = within(await screen.findByRole('region', { name: 'Timeline' }));
  await timeline.findByText('Incident opened');
  await fail(() => HttpResponse.error() as HttpResponse<null>);
  const note = await timeline.findByText(/This was read/);
  expect(note.textContent).toMatch(/^This was read \d+s ago\.$/);
  await waitFor(() => expect(screen.getAllByText(/The server can’t be reached/)).toHaveLength(1));
  server.resetHandlers();
  await waitFor(() => expect(timeline.queryByText(/This was read/)).toBeNull());
});
