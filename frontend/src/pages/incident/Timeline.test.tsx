import { screen, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { expect, it } from 'vitest';
import { addStep, db, findIncident } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { server } from '../../../mock/testing';

const timeline = async () => within(await screen.findByRole('region', { name: 'Timeline' }));

function manySteps(count: number): void {
  const id = findIncident('INC-140')?.id ?? '';
  for (let index = 0; index < count; index += 1)
    addStep(id, 'comment_added', { body: `Note ${index}` }, 'Ana Ruiz');
}

it('shows the newest step of a long history, which is on its second page', async () => {
  manySteps(205);
  renderApp('/incidents/INC-140');
  const card = await timeline();
  expect(await card.findByText('Note 204')).toBeTruthy();
  expect(card.queryByRole('button', { name: 'Show more' })).toBeNull();
});

it('asks before it reads on beyond very many, and says how many are shown', async () => {
  manySteps(12);
  const steps = db.steps.get(findIncident('INC-140')?.id ?? '') ?? [];
  server.use(
    http.get('*/incidents/:id/steps', ({ request }) => {
      const at = Number(new URL(request.url).searchParams.get('cursor') ?? 0);
      const next_cursor = at + 2 < steps.length ? String(at + 2) : null;
      return HttpResponse.json({ items: steps.slice(at, at + 2), next_cursor });
    }),
  );
  const { user } = renderApp('/incidents/INC-140');
  const card = await timeline();
  expect(await card.findByText(/^The first 10 steps are shown/)).toBeTruthy();
  expect(card.queryByText('Note 11')).toBeNull();
  await user.click(card.getByRole('button', { name: 'Show more' }));
  expect(await card.findByText('Note 11')).toBeTruthy();
});
