import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { db } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';

const text = (label: RegExp) => screen.getByRole('region', { name: label }).textContent;

it('lays the body out to be read, and shows it byte for byte when asked', async () => {
  const delivery = db.deliveries[0];
  if (!delivery) throw new Error('the mock has no delivery');
  delivery.body = '{"status":"firing","n":1}';
  const { user } = renderApp(`/deliveries/${delivery.id}`);
  await screen.findByText('25 characters');
  expect(text(/characters/)).toBe('{\n  "status": "firing",\n  "n": 1\n}');
  await user.click(screen.getByRole('radio', { name: 'As it arrived' }));
  expect(text(/characters/)).toBe(delivery.body);
});

it('shows what is no JSON as it arrived', async () => {
  const delivery = db.deliveries[0];
  if (!delivery) throw new Error('the mock has no delivery');
  delivery.body = 'not json';
  renderApp(`/deliveries/${delivery.id}`);
  await screen.findByText('8 characters');
  expect(text(/characters/)).toBe('not json');
  expect(screen.queryByRole('radio')).toBeNull();
});
