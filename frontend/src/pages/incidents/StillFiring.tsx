/** Incidents that someone resolved although their alerts still fire: in no list of open ones, so they are told of here. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Flame } from 'lucide-react';
import { q } from '../../api/endpoints';
import { counted } from '../../util/numbers';

/** What the list is asked for to show them. */
export const STILL_FIRING = 'is:still-firing';

/** How many there are. */
export function useStillFiring(): number {
  return useQuery(q.summary()).data?.still_firing ?? 0;
}

export function StillFiring() {
  const n = useStillFiring();
  if (n === 0) return null;
  return (
    <section
      aria-label="Resolved but firing"
      className="flex shrink-0 items-center gap-2 border-hairline border-b bg-medium-fill/10 px-5 py-1.5 text-sm max-md:min-h-11 max-md:px-3"
    >
      <Flame className="size-4 shrink-0 text-medium" aria-hidden="true" />
      <span>
        {counted(n, 'incident')} resolved by hand {n === 1 ? 'is' : 'are'} still firing
      </span>
      <Link
        to="/incidents"
        search={{ q: STILL_FIRING }}
        className="ml-auto shrink-0 font-medium text-link hover:underline max-md:py-2"
      >
        Show
      </Link>
    </section>
  );
}
