import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { db } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';

const text = (label: RegExp) => screen.getByRole('group', { name: label }).textContent;

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

it.each([
  ['is no JSON', 'not json', false],
  ['has a number that a browser would round', '{"n":12345678901234567890}', false],
  ['has a number that it would take for infinite', '{"n":1e999}', false],
  ['has digits in a text and a number of 17', '{"id":"12345678901234567890","n":22.999999999999996}', true],
])('lays out only what stays the same: a body that %s', async (_, body, isLaidOut) => {
  const delivery = db.deliveries[0];
  if (!delivery) throw new Error('the mock has no delivery');
  delivery.body = body;
  renderApp(`/deliveries/${delivery.id}`);
  await screen.findByText(`${body.length} characters`);
  expect(text(/characters/)?.replace(/\s/g, '')).toBe(body.replace(/\s/g, ''));
  expect(screen.queryAllByRole('radio').length > 0).toBe(isLaidOut);
});
