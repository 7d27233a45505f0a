/** Tells of new incidents: one message for all of them that came while it was on the screen. */
import { useRouter } from '@tanstack/react-router';
import { useCallback, useEffect, useRef } from 'react';
import type { LiveEvent } from '../api/types';
import { paths } from '../paths';
import { toast } from '../ui/Toast';
import { severityWord } from './Severity';

/** How many things on the screen tell of new incidents themselves. */
let tellers = 0;

/** While `on`, the page itself tells of new incidents, and no message does. */
export function useToldHere(on: boolean): void {
  useEffect(() => {
    if (!on) return;
    tellers += 1;
    return () => {
      tellers -= 1;
    };
  }, [on]);
}

export function useAnnounce(): (events: LiveEvent[]) => void {
  const router = useRouter();
  const told = useRef<LiveEvent[]>([]);
  return useCallback(
    (events) => {
      const opened = events.filter((event) => event.type === 'incident.created');
      if (opened.length === 0 || tellers > 0) return;
      told.current = [...told.current, ...opened];
      toast({
        ...wording(told.current, (href) => void router.navigate({ href })),
        about: 'new-incidents',
        onClose: () => {
          told.current = [];
        },
      });
    },
    [router],
  );
}

function wording(opened: readonly LiveEvent[], go: (href: string) => void) {
  const [one] = opened;
  if (opened.length > 1 || one?.data.number === undefined)
    return {
      title: `${opened.length} new incidents`,
      action: { label: 'Show', run: () => go(paths.incidents()) },
    };
  const { number, title = `INC-${number}`, severity } = one.data;
  return {
    title,
    description: `${severity ? `${severityWord(severity)}, ` : ''}new incident INC-${number}`,
    action: { label: 'Open', run: () => go(paths.incident(number)) },
  };
}
