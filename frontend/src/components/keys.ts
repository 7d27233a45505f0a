/** One registry of keys: what acts, what `?` lists, and what the off switch silences. */
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { usePrefs } from './prefs';

/** A key, or two in a row such as `g i`, and what it does. */
export type KeyAction = { keys: string; label: string; run: () => void };

type Entry = { group: string; actions: KeyAction[] };

const SEQUENCE_MS = 1200;
const entries = new Map<object, Entry>();
const watchers = new Set<() => void>();
let listed: Entry[] = [];
let prefix: { key: string; at: number } | null = null;
let enabled = true;

/** Makes keys act while the component is on the screen. */
export function useKeys(group: string, actions: KeyAction[]): void {
  const identity = useRef({});
  const { shortcuts } = usePrefs();
  useEffect(() => {
    enabled = shortcuts;
  }, [shortcuts]);
  useEffect(() => {
    const key = identity.current;
    entries.set(key, { group, actions });
    changed();
  });
  useEffect(() => {
    const key = identity.current;
    return () => {
      entries.delete(key);
      changed();
    };
  }, []);
}

/** Everything that acts now, grouped, for the help. */
export function useKeyList(): Entry[] {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => listed,
  );
}

function changed(): void {
  const next = [...entries.values()];
  const before = listed.flatMap((entry) => entry.actions.map((action) => entry.group + action.keys));
  const after = next.flatMap((entry) => entry.actions.map((action) => entry.group + action.keys));
  if (before.join() === after.join()) return;
  listed = next;
  for (const watcher of watchers) watcher();
}

/** Listens once for the whole page. */
export function listenForKeys(target: Window): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (!enabled || isTyping(event.target) || document.querySelector('[data-takes-keys]')) return;
    const now = Date.now();
    const typed = prefix && now - prefix.at < SEQUENCE_MS ? `${prefix.key} ${event.key}` : event.key;
    const action = find(typed) ?? find(event.key);
    prefix = null;
    if (action) {
      event.preventDefault();
      action.run();
    } else if (startsSequence(event.key)) prefix = { key: event.key, at: now };
  };
  target.addEventListener('keydown', onKey);
  return () => target.removeEventListener('keydown', onKey);
}

function find(keys: string): KeyAction | undefined {
  for (const entry of [...entries.values()].reverse()) {
    const action = entry.actions.find((one) => one.keys === keys);
    if (action) return action;
  }
  return undefined;
}

function startsSequence(key: string): boolean {
  return [...entries.values()].some((entry) =>
    entry.actions.some((action) => action.keys.startsWith(`${key} `)),
  );
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !/^(checkbox|radio|button)$/.test(target.type);
  return target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName);
}
