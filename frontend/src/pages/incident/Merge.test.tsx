import { screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { expect, it } from 'vitest';
import { renderApp } from '../../../mock/renderApp';
import { server } from '../../../mock/testing';

async function openMerge() {
  const { user } = renderApp('/incidents/INC-142');
  const facts = within(await screen.findByRole('region', { name: 'Facts' }));
  await user.click(facts.getByRole('button', { name: 'More actions' }));
  await user.click(await screen.findByRole('menuitem', { name: 'Merge into another incident' }));
  return { user, dialog: within(await screen.findByRole('dialog')) };
}

it('searches once for what was typed, and keeps what it found meanwhile', async () => {
  const searched: (string | null)[] = [];
  server.use(
    http.get('*/api/v1/incidents', ({ request }) => {
      const params = new URL(request.url).searchParams;
      if (params.get('limit') === '8') searched.push(params.get('q'));
    }),
  );
  const { user, dialog } = await openMerge();
  await dialog.findByRole('radio', { name: /^INC-141/ });
  await user.type(dialog.getByLabelText('Find the incident to keep'), 'checkout');
  expect(dialog.getByRole('radio', { name: /^INC-141/ })).toBeTruthy();
  await waitFor(() => expect(searched.at(-1)).toBe('checkout'));
  expect(searched.length).toBeLessThanOrEqual(3);
});

it('says that the search failed, and tries again', async () => {
  server.use(http.get('*/api/v1/incidents', () => new HttpResponse(null, { status: 500 })));
  const { user, dialog } = await openMerge();
  expect((await dialog.findByRole('alert')).textContent).toBe('The server failed.');
  server.resetHandlers();
  await user.click(dialog.getByRole('button', { name: 'Try again' }));
  expect(await dialog.findByRole('radio', { name: /^INC-141/ })).toBeTruthy();
});

it('says of every incident to keep whether it is still open', async () => {
  const { dialog } = await openMerge();
  expect(await dialog.findByRole('radio', { name: /^INC-141.*Acknowledged/ })).toBeTruthy();
  expect(dialog.getAllByRole('radio', { name: /Resolved|Learned/ }).length).toBeGreaterThan(0);
});
