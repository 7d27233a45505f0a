/** What happens once someone has signed in, whichever way. */
import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { q } from '../../api/endpoints';
import { ApiError } from '../../api/errors';
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

/** The message of the server about one field of a form. */
export function fieldError(error: unknown, field: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  return error.fields.find((one) => one.field === field)?.message;
}

/** The token after the `#`, which no server has seen; it is taken out of the address at once. */
export function takeFragment(): string {
  const token = location.hash.slice(1);
  if (token) history.replaceState(history.state, '', location.pathname);
  return token;
}

/** The fewest characters of a password. */
export const SHORTEST_PASSWORD = 12;

/** The rule of a field that may not stay empty. */
export function filled(what: string) {
  return { validate: (text: string) => text.trim() !== '' || `Enter ${what}.` };
}

/** The rule of a new password; the server has the last word. */
export const enough = {
  validate: (text: string) =>
    text.length >= SHORTEST_PASSWORD || `Use at least ${SHORTEST_PASSWORD} characters.`,
};
