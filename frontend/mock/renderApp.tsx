/** The whole app at one address, over the mock, as a test sees it. */
import { QueryClientProvider } from '@tanstack/react-query';
import { createMemoryHistory, RouterProvider } from '@tanstack/react-router';
import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { whenForbidden, whenSignedOut } from '../src/api/client';
import { newQueryClient } from '../src/api/queryClient';
import { listenForKeys } from '../src/components/keys';
import { createAppRouter, signInAgain } from '../src/routes';
import { Toaster } from '../src/ui/Toast';

/** Rows exist only in view, and in a test nothing has a size: give everything one. */
function giveSizes(): void {
  const size = (name: 'clientHeight' | 'clientWidth', value: number) =>
    Object.defineProperty(HTMLElement.prototype, name, { configurable: true, get: () => value });
  size('clientHeight', 800);
  size('clientWidth', 1200);
}

export function renderApp(path: string) {
  giveSizes();
  const client = newQueryClient(0);
  const router = createAppRouter(client, createMemoryHistory({ initialEntries: [path] }));
  whenSignedOut(() => {
    client.clear();
    signInAgain(router);
  });
  whenForbidden(() => void client.invalidateQueries({ queryKey: ['me'] }));
  const stopKeys = listenForKeys(window);
  const view = render(
    <QueryClientProvider client={client}>
      <Toaster>
        <RouterProvider router={router} />
      </Toaster>
    </QueryClientProvider>,
  );
  return {
    user: userEvent.setup(),
    router,
    client,
    at: () => router.state.location.href,
    leave: () => {
      stopKeys();
      view.unmount();
    },
  };
}
