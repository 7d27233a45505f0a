import { screen, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import { renderApp } from '../../../mock/renderApp';

it('leads to the request that brought the incident', async () => {
  const { user, at } = renderApp('/incidents/INC-142');
  const card = within(await screen.findByRole('region', { name: 'Details' }));
  await user.click(await card.findByRole('link', { name: /^the delivery of/ }));
  await screen.findByRole('heading', { name: 'Delivery' });
  expect(at()).toMatch(/^\/deliveries\//);
});
