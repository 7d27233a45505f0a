/** What the audit log calls `user:ID`, by the name people know. */
import type { Member } from '../../api/types';

/** A member's name; for anything else, the part after the kind where that is a word, such as `key:wall display`. */
export function named(reference: string, people: readonly Member[]): string {
  const [kind, id = ''] = split(reference);
  const member = kind === 'user' ? people.find((one) => one.user_id === id) : undefined;
  return member?.full_name ?? reference.replace(':', ' ');
}

function split(reference: string): [string, string?] {
  const colon = reference.indexOf(':');
  return colon < 0 ? [reference] : [reference.slice(0, colon), reference.slice(colon + 1)];
}
