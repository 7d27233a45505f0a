/** What the tab is called. */
import { useEffect } from 'react';
import { straight } from '../util/sentence';

const PRODUCT = 'SRE Copilot';
/** More than fits any tab, and little enough for a list of tabs or a history. */
const LONGEST = 120;

/** Names the tab after the page while it is on the screen. */
export function useTitle(page: string): void {
  useEffect(() => {
    document.title = `${[...straight(page)].slice(0, LONGEST).join('')} · ${PRODUCT}`;
  }, [page]);
}
