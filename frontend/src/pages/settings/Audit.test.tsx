import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { renderApp } from '../../../mock/renderApp';

it('names people where the log has only their id, and shortens what has no name', async () => {
  renderApp('/settings/audit');
  const added = (await screen.findByText('member.added')).closest('tr');
  expect(await screen.findByText('Jun Tanaka')).toBeTruthy();
  expect(added?.textContent).toContain('Jun Tanaka');
  const closed = screen.getByText('session.closed').closest('tr');
  expect(closed?.textContent).toMatch(/session …[0-9a-f]{6}/);
  expect(closed?.textContent).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}/);
});
