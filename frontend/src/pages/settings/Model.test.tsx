import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { renderApp } from '../../../mock/renderApp';

it('says what is sent where, and turns the model off', async () => {
  const { user } = renderApp('/settings/model');
  expect(
    await screen.findByText(/gpt-4o-mini at api.openai.com is asked about incidents of Shop/),
  ).toBeTruthy();
  await user.click(screen.getByRole('button', { name: 'Turn off' }));
  expect(await screen.findByText(/gpt-4o-mini is not asked about incidents of Shop/)).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Turn on' })).toBeTruthy();
});
