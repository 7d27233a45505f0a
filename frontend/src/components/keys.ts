/** One registry of keys: what acts, what `?` lists, and what the off switch silences. */
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { usePrefs } from './prefs';

/** A key, two in a row such as `g i`, or one held with Ctrl or ⌘ such as `mod+k`; and what it does. */
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
    if (event.defaultPrevented || event.isComposing || document.querySelector('[data-takes-keys]')) return;
    // Some keyboards write [ and ] with AltGr, which Windows reports as Ctrl and Alt.
    const holds = !event.getModifierState('AltGraph');
    if (holds && event.altKey) return;
    if (holds && (event.ctrlKey || event.metaKey)) {
      if (runKeys(`mod+${event.key.toLowerCase()}`)) event.preventDefault();
      return;
    }
    if (!enabled || isTyping(event.target)) return;
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

/** Does what the keys do now, if anything. */
export function runKeys(keys: string): boolean {
  const action = find(keys);
  action?.run();
  return action !== undefined;
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
