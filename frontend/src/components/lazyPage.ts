/** Pages whose code comes when it is wanted, or when nothing else is going on. */
import { createElement, type FunctionComponent, use } from 'react';
import { serverAnswers } from '../api/client';
import { unreachable } from '../api/errors';

type Page = FunctionComponent & { preload: () => Promise<void> };
type Load = () => Promise<{ default: FunctionComponent }>;

const RELOADED = 'sre-copilot.reloaded';
const pages: Page[] = [];

/**
 * A page that can be asked for again when its code could not be had. The router's own wrapper reloads the
 * tab then, which with the server down leaves the browser's error page and never comes back.
 */
export function lazyPage(load: Load): Page {
  let loaded: FunctionComponent | undefined;
  let loading: Promise<void> | undefined;
  const preload = () => {
    loading ??= load().then(
      (module) => {
        loaded = module.default;
        sessionStorage.removeItem(RELOADED);
      },
      (error) => {
        loading = undefined;
        return why(error);
      },
    );
    return loading;
  };
  const page = Object.assign(
    () => {
      if (!loaded) use(preload());
      return loaded && createElement(loaded);
    },
    { preload },
  );
  pages.push(page);
  return page;
}

/** Fetches the code of every page, so that no later click depends on the server for it. */
export async function preloadPages(): Promise<void> {
  for (const page of pages) await page.preload().catch(() => {});
}

/** Code that is missing on a server that answers belongs to an older release: the tab starts anew, once. */
async function why(error: unknown): Promise<never> {
  if (!(await serverAnswers())) throw unreachable();
  if (sessionStorage.getItem(RELOADED)) throw error;
  sessionStorage.setItem(RELOADED, 'yes');
  location.reload();
  return new Promise<never>(() => {});
}
