import { screen, waitFor } from '@testing-library/react';
import { expect, it } from 'vitest';
import { db } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';

it('has every change of the last days, however many there were', async () => {
  const [first] = db.changes;
  if (!first) throw new Error('the mock has no change');
  db.changes = Array.from({ length: 150 }, (_, n) => ({
    ...first,
    id: `c${n}`,
    timestamp: new Date(Date.now() - n * 3_600_000).toISOString(),
  }));
  const { user } = renderApp('/changes');
  const rows = () => screen.getAllByRole('row').length - 1;
  expect(await screen.findByText('The latest 100')).toBeTruthy();
  await user.click(screen.getByRole('button', { name: 'Older' }));
  await waitFor(() => expect(rows()).toBe(150));
  expect(screen.queryByRole('button', { name: 'Older' })).toBeNull();
});
