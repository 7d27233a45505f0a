/** The cache of server data, and what it does when the server does not answer. */
import { QueryClient } from '@tanstack/react-query';
import { ApiError } from './errors';

const MOST_RETRIES = 3;

/**
 * Requests are made even while the browser says that it is offline, so that they fail at once and visibly.
 * The library's default keeps them back and sends them later, when nobody expects it any more.
 * A refusal for too many requests is not answered with more of them; the page says when it asks again.
 */
export function newQueryClient(mostRetries = MOST_RETRIES): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        networkMode: 'always',
        refetchOnWindowFocus: true,
        refetchOnReconnect: true,
        retry: (failures, error) =>
          failures < mostRetries &&
          navigator.onLine &&
          error instanceof ApiError &&
          error.mayPass &&
          !error.hung &&
          error.status !== 429,
      },
      mutations: { networkMode: 'always' },
    },
  });
}
