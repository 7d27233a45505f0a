import { screen, waitFor } from '@testing-library/react';
import { expect, it } from 'vitest';
import { renderApp } from '../../../mock/renderApp';
import { readDraft } from '../../components/drafts';

const title = () => screen.findByLabelText<HTMLInputElement>('What is wrong');
const gone = () => waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());

it('keeps what was typed when it is closed by Esc or a stray click, until it is discarded', async () => {
  const { user } = renderApp('/incidents');
  const begin = await screen.findByRole('button', { name: 'New incident' });
  await user.click(begin);
  await user.type(await title(), 'Checkout is slow');
  await user.keyboard('{Escape}');
  await gone();
  await user.click(begin);
  expect((await title()).value).toBe('Checkout is slow');
  expect(screen.getByText('What you wrote before is still here.')).toBeTruthy();
  await user.click(screen.getByRole('button', { name: 'Discard' }));
  await gone();
  await user.click(begin);
  expect((await title()).value).toBe('');
});

it('forgets the draft once the incident is open', async () => {
  const { user, at } = renderApp('/incidents');
  await user.click(await screen.findByRole('button', { name: 'New incident' }));
  await user.type(await title(), 'Checkout is slow');
  expect(readDraft('new-incident')).toContain('Checkout is slow');
  await user.click(screen.getByRole('button', { name: 'Open incident' }));
  await waitFor(() => expect(at()).toMatch(/INC-\d+/));
  expect(readDraft('new-incident')).toBeNull();
});
