/** What every test starts with: the mock's server, a fresh world, a clean page. */
import { cleanup, configure } from '@testing-library/react';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';
import { handlers } from './handlers/all';
import { pace } from './script';
import { seed } from './seed/world';

configure({ asyncUtilTimeout: 5000 });

/** Charts are drawn on a canvas, which a test's page does not have; e2e looks at the real ones. */
vi.mock('uplot', () => ({
  default: class {
    static join = () => [[]];
    setSize = () => {};
    destroy = () => {};
  },
}));

export const server = setupServer(...handlers);

beforeAll(() => {
  pace.wait = () => Promise.resolve();
  server.listen({ onUnhandledRequest: 'error' });
});
beforeEach(() => seed('shop', 20));
afterEach(() => {
  cleanup();
  sessionStorage.clear();
  server.resetHandlers();
});
afterAll(() => server.close());
