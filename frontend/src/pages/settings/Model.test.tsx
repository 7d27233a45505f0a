import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { db } from '../../../mock/db';
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

it('says why a configured model is not used', async () => {
  const off = 'SRE_COPILOT_LLM_DAILY_BUDGET_USD is 0, which turns the language model off';
  db.ai.model = null;
  db.llmOff = off;
  renderApp('/settings/model');
  expect(await screen.findByText(new RegExp(off))).toBeTruthy();
  expect(screen.queryByText(/No model is configured/)).toBeNull();
});
