/** What every test starts with: the mock's server, a fresh world, a clean page. */
import { cleanup } from '@testing-library/react';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { handlers } from './handlers/all';
import { pace } from './script';
import { seed } from './seed/world';

export const server = setupServer(...handlers);

beforeAll(() => {
  pace.wait = () => Promise.resolve();
  server.listen({ onUnhandledRequest: 'error' });
});
beforeEach(() => seed('shop', 20));
afterEach(() => {
  cleanup();
  server.resetHandlers();
});
afterAll(() => server.close());
