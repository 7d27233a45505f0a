/** Whether the page is being printed, so that what is folded on the screen is on the paper. */
import { useSyncExternalStore } from 'react';

let printing = false;

export function usePrinting(): boolean {
  return useSyncExternalStore(watch, () => printing);
}

function watch(tell: () => void): () => void {
  const begin = () => {
    printing = true;
    tell();
  };
  const end = () => {
    printing = false;
    tell();
  };
  addEventListener('beforeprint', begin);
  addEventListener('afterprint', end);
  return () => {
    removeEventListener('beforeprint', begin);
    removeEventListener('afterprint', end);
  };
}
