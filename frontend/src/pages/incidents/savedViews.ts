/** Filters that a reader keeps under a name, in this browser, for one project. */
import { useMemo, useSyncExternalStore } from 'react';
import { useMe } from '../../components/me';
import { formatFilter, parseFilter } from './filter';

/** A filter with a name. */
export type View = { name: string; filter: string };

/** The most that are kept for a project. */
export const MOST_VIEWS = 30;
/** The longest name, in characters. */
export const LONGEST_NAME = 60;

const PREFIX = 'sre-copilot.views.';
const NONE: readonly View[] = [];
const watchers = new Set<() => void>();
/** What was read last of each key, so that the same text gives the same list. */
const read = new Map<string, { text: string | null; views: readonly View[] }>();

/** The views of the reader in this project, and their changes; a change that this browser does not keep is told. */
export function useSavedViews() {
  const { user, project } = useMe();
  const key = `${PREFIX}${user.id}.${project.id}`;
  const views = useSyncExternalStore(watch, () => viewsAt(key));
  return useMemo(
    () => ({
      views,
      save: (name: string, filter: string) => store(key, [...viewsAt(key), { name: name.trim(), filter }]),
      rename: (from: string, to: string) =>
        store(
          key,
          viewsAt(key).map((one) => (one.name === from ? { ...one, name: to.trim() } : one)),
        ),
      remove: (name: string) =>
        store(
          key,
          viewsAt(key).filter((one) => one.name !== name),
        ),
      /** Puts a view back where it was. */
      restore: (view: View, index: number) => store(key, viewsAt(key).toSpliced(index, 0, view)),
    }),
    [key, views],
  );
}

export type SavedViews = ReturnType<typeof useSavedViews>;

/** The view that asks for the same as this filter. */
export function viewOf(views: readonly View[], filter: string): View | undefined {
  const asked = canonical(filter);
  return views.find((one) => canonical(one.filter) === asked);
}

/** What is wrong with a name for a view; `self` is the name that it has now. */
export function nameProblem(name: string, views: readonly View[], self?: string): string | undefined {
  const wanted = name.trim();
  if (wanted === '') return 'A name is needed.';
  if (wanted.length > LONGEST_NAME) return `Use at most ${LONGEST_NAME} characters.`;
  const taken = views.some((one) => one.name !== self && one.name.toLowerCase() === wanted.toLowerCase());
  return taken ? 'Another view has this name.' : undefined;
}

/** One text for filters that mean the same; what cannot be read means only itself. */
function canonical(filter: string): string {
  const parsed = parseFilter(filter);
  return parsed.problems.length > 0 ? filter.trim() : formatFilter(parsed);
}

function viewsAt(key: string): readonly View[] {
  const text = stored(key);
  const known = read.get(key);
  if (known?.text === text) return known.views;
  const views = understood(text);
  read.set(key, { text, views });
  return views;
}

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Whoever wrote it: what is no view is left out. */
function understood(text: string | null): readonly View[] {
  if (text === null) return NONE;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.filter(isView).slice(0, MOST_VIEWS) : NONE;
  } catch {
    return NONE;
  }
}

function isView(one: unknown): one is View {
  if (typeof one !== 'object' || one === null || !('name' in one) || !('filter' in one)) return false;
  const { name, filter } = one;
  return typeof name === 'string' && name !== '' && name.length <= LONGEST_NAME && typeof filter === 'string';
}

/** Whether the browser kept it. */
function store(key: string, views: readonly View[]): boolean {
  if (views.length > MOST_VIEWS) return false;
  try {
    localStorage.setItem(key, JSON.stringify(views.map(({ name, filter }) => ({ name, filter }))));
  } catch {
    return false;
  }
  for (const watcher of watchers) watcher();
  return true;
}

/** Another tab of this browser may change them, too. */
function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  window.addEventListener('storage', watcher);
  return () => {
    watchers.delete(watcher);
    window.removeEventListener('storage', watcher);
  };
}
