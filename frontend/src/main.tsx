/** Mounts the router, the query cache and the toasts. */
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { whenForbidden, whenSignedOut } from './api/client';
import { newQueryClient } from './api/queryClient';
import { listenForKeys } from './components/keys';
import { createAppRouter, signInAgain } from './routes';
import { Toaster } from './ui/Toast';
import './theme.css';

const client = newQueryClient();
const router = createAppRouter(client);

whenSignedOut(() => {
  client.clear();
  signInAgain(router);
});
whenForbidden(() => void client.invalidateQueries({ queryKey: ['me'] }));
listenForKeys(window);

async function start(): Promise<void> {
  if (import.meta.env.MODE === 'mock') await (await import('../mock/browser')).startMock();
  const element = document.getElementById('root');
  if (!element) return;
  createRoot(element).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <Toaster>
          <RouterProvider router={router} />
        </Toaster>
      </QueryClientProvider>
    </StrictMode>,
  );
}

void start();
