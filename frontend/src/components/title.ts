/** What the tab is called, and the sign on it: how many incidents nobody has acknowledged, and a critical one. */
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { q } from '../api/endpoints';
import { straight } from '../util/sentence';

const PRODUCT = 'SRE Copilot';
/** More than fits any tab, and little enough for a list of tabs or a history. */
const LONGEST = 120;

/** Kept outside, so that neither a new page nor a new count takes the other away for a moment. */
let page = '';
let waiting = 0;

/** Names the tab after the page while it is on the screen. */
export function useTitle(named: string): void {
  useEffect(() => {
    page = named;
    write();
  }, [named]);
}

/**
 * Shows in the tab, for who looks at another one, that somebody is needed.
 *
 * A component of its own: the frame, which waits for who the reader is, must not be drawn anew by a count.
 */
export function TabSign(): null {
  const { data } = useQuery(q.summary());
  const unacknowledged = data?.unacknowledged ?? 0;
  const critical = (data?.open_by_severity.critical ?? 0) > 0;
  useEffect(() => {
    waiting = unacknowledged;
    write();
  }, [unacknowledged]);
  useEffect(() => mark(critical), [critical]);
  useEffect(
    () => () => {
      waiting = 0;
      write();
      mark(false);
    },
    [],
  );
  return null;
}

function write(): void {
  const count = waiting > 0 ? `(${waiting}) ` : '';
  const title = `${count}${[...straight(page)].slice(0, LONGEST).join('')} · ${PRODUCT}`;
  if (page && document.title !== title) document.title = title;
}

function mark(critical: boolean): void {
  const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  const href = icon?.getAttribute('href');
  const next = href?.replace(/favicon(-critical)?\.svg/, critical ? 'favicon-critical.svg' : 'favicon.svg');
  if (icon && next && next !== href) icon.setAttribute('href', next);
}
