/** Who is signed in, and what the role lets them do. */
import { useSuspenseQuery } from '@tanstack/react-query';
import { q } from '../api/endpoints';
import { type Me, ROLES, type Role } from '../api/types';

/** The signed-in person; pages behind the shell always have one. */
export function useMe(): Me {
  return useSuspenseQuery(q.me()).data;
}

/** Whether a role reaches another. */
export function reaches(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) <= ROLES.indexOf(needed);
}

/** Why the reader may not do this, or nothing when they may. */
export function useBlocked(needed: Role): string | undefined {
  const { role } = useMe();
  if (reaches(role, needed)) return undefined;
  return `Only an ${needed === 'owner' ? 'owner' : `${needed} or higher`} can do this; you are ${article(role)}.`;
}

function article(role: Role): string {
  return /^[aeio]/.test(role) ? `an ${role}` : `a ${role}`;
}
