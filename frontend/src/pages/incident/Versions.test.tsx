/** Earlier versions of an analysis can be read, and what was said in one is still there in the next. */
import { screen, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import { renderApp } from '../../../mock/renderApp';

it('opens an earlier version to read, and goes back to the newest', async () => {
  const { user } = renderApp('/incidents/INC-142');
  const choice = await screen.findByLabelText('Version');
  expect(
    within(choice)
      .getAllByRole('option')
      .map((one) => one.textContent),
  ).toEqual(['2, newest: cause named', '1: cause named']);
  await user.selectOptions(choice, '1');
  expect(await screen.findByText(/Version 1 is an earlier one/)).toBeTruthy();
  expect(screen.getByText(/called this wrong, /)).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Right' })).toBeNull();
  expect(screen.queryByText('Most likely cause')).toBeNull();
  await user.click(screen.getByRole('button', { name: 'Show the newest' }));
  expect(await screen.findByText('Most likely cause')).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Right' })).toBeTruthy();
});

it('shows the cause before the choice of a version, which nobody needs first', async () => {
  renderApp('/incidents/INC-142');
  const choice = await screen.findByLabelText('Version');
  const cause = screen.getByText(/exhausted the connection pool/);
  expect(cause.compareDocumentPosition(choice)).toBe(Node.DOCUMENT_POSITION_FOLLOWING);
});

it('says in which version a theory was judged', async () => {
  const { user } = renderApp('/incidents/INC-142');
  await user.click(await screen.findByRole('button', { name: /payments answers slower/ }));
  expect(await screen.findByText(/called this wrong in version 1, saved/)).toBeTruthy();
});
