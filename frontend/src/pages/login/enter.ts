/** What happens once someone has signed in, whichever way. */
import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { q } from '../../api/endpoints';
import { safeNext } from '../../paths';

/** Forgets the previous reader's data, learns who this is, and goes where they wanted to be. */
export function useEnter(): (next?: string) => void {
  const client = useQueryClient();
  const router = useRouter();
  return (next) => {
    client.removeQueries({ predicate: (query) => query.queryKey[0] !== 'link' });
    void client.fetchQuery(q.me()).then(() => router.navigate({ href: safeNext(next), replace: true }));
  };
}

/** The token after the `#`, which no server has seen; it is taken out of the address at once. */
export function takeFragment(): string {
  const token = location.hash.slice(1);
  if (token) history.replaceState(history.state, '', location.pathname);
  return token;
}

/** The rule of a field that may not stay empty. */
export function filled(what: string) {
  return { validate: (text: string) => text.trim() !== '' || `Enter ${what}.` };
}
