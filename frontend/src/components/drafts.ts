/** What is being written, kept for the tab, so that a look at another page does not cost it. */
import { useState } from 'react';

const PREFIX = 'sre-copilot.draft.';

/** Like `useState` for a text, remembered under `key` until it is emptied. */
export function useDraft(key: string): [string, (text: string) => void] {
  const [text, setText] = useState(() => readDraft(key) ?? '');
  const write = (next: string) => {
    setText(next);
    keepDraft(key, next);
  };
  return [text, write];
}

/** The draft under this key, or null. */
export function readDraft(key: string): string | null {
  try {
    return sessionStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

/** Keeps a draft; an empty one is forgotten. */
export function keepDraft(key: string, text: string): void {
  try {
    if (text) sessionStorage.setItem(PREFIX + key, text);
    else sessionStorage.removeItem(PREFIX + key);
  } catch {
    // A browser without storage forgets; nothing else depends on it.
  }
}

/** Forgets every draft, for the next person at this tab. */
export function forgetDrafts(): void {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
}
