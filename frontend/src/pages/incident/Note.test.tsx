import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { renderApp } from '../../../mock/renderApp';

it('makes the addresses in a note links', async () => {
  const { user } = renderApp('/incidents/INC-140');
  await user.type(await screen.findByLabelText('Add a note'), 'Per https://wiki.example/disk.');
  await user.click(screen.getByRole('button', { name: 'Add note' }));
  const link = await screen.findByRole('link', { name: 'https://wiki.example/disk' });
  expect(link.getAttribute('rel')).toBe('noreferrer noopener');
});
