import { screen } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { expect, it } from 'vitest';
import { db } from '../../mock/db';
import { renderApp } from '../../mock/renderApp';
import { server } from '../../mock/testing';

const forbidden = (detail: string) => HttpResponse.json({ status: 403, detail }, { status: 403 });
const NO_PROJECT = 'you are not a member of any project';

it('lets out who is in no project, says whom to ask, and lets in again who was added', async () => {
  server.use(http.get('*/api/v1/auth/me', () => forbidden(NO_PROJECT)));
  const { user, at } = renderApp('/incidents');
  expect(await screen.findByText('You are not a member of any project.')).toBeTruthy();
  expect(screen.getByText(/Ask an owner or admin/)).toBeTruthy();
  server.resetHandlers();
  await user.click(screen.getByRole('button', { name: 'Look again' }));
  await screen.findAllByRole('row');
  server.use(http.get('*/api/v1/auth/me', () => forbidden(NO_PROJECT)));
  window.dispatchEvent(new Event('visibilitychange'));
  await user.click(await screen.findByRole('button', { name: 'Sign out' }));
  await screen.findByLabelText('Password');
  expect(at()).toMatch(/^\/login/);
});

it('learns of a smaller role from a refusal, and offers no second try', async () => {
  const { user } = renderApp('/incidents/INC-142');
  const [button] = await screen.findAllByRole('button', { name: /^Acknowledge/ });
  if (!button) throw new Error('no button');
  db.me = { ...db.me, role: 'viewer' };
  server.use(
    http.patch('*/api/v1/incidents/:id/state', () => forbidden('this needs the role engineer or higher')),
  );
  await user.click(button);
  expect((await screen.findAllByText(/This needs the role engineer/)).length).toBeGreaterThan(0);
  expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull();
  await screen.findAllByTitle(/Only an engineer or higher can do this; you are a viewer/);
});
