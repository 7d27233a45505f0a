/** What this browser remembers about its reader: theme, zone, and whether single keys act. */
import { useSyncExternalStore } from 'react';
import type { Zone } from '../util/time';

export type Theme = 'system' | 'light' | 'dark';
export type Prefs = { theme: Theme; zone: Zone; shortcuts: boolean };

const KEY = 'sre-copilot.prefs';
const DEFAULTS: Prefs = { theme: 'system', zone: 'local', shortcuts: true };
const watchers = new Set<() => void>();
const darkSystem = matchMedia('(prefers-color-scheme: dark)');
let prefs = read();

darkSystem.addEventListener('change', () => {
  paint();
  for (const watcher of watchers) watcher();
});

export function usePrefs(): Prefs {
  return useSyncExternalStore(watch, () => prefs);
}

/** Whether the page is dark now, whoever decided it. */
export function useDark(): boolean {
  return useSyncExternalStore(watch, isDark);
}

export function setPrefs(change: Partial<Prefs>): void {
  prefs = { ...prefs, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(prefs));
  } catch {
    // A browser without storage forgets; nothing else depends on it.
  }
  paint();
  for (const watcher of watchers) watcher();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function isDark(): boolean {
  return prefs.theme === 'dark' || (prefs.theme === 'system' && darkSystem.matches);
}

function paint(): void {
  document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
}

function read(): Prefs {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return { ...DEFAULTS, ...(typeof stored === 'object' ? stored : {}) };
  } catch {
    return DEFAULTS;
  }
}
