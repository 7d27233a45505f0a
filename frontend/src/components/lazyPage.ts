/** Pages whose code comes when it is wanted, or when nothing else is going on. */
import { createElement, type FunctionComponent, use } from 'react';
import { serverAnswers } from '../api/client';
import { unreachable } from '../api/errors';

type Page = FunctionComponent & { preload: () => Promise<void> };
type Load = () => Promise<{ default: FunctionComponent }>;

/** The code of a page is not on a server that answers, because the tab is of an older release. */
export class MissingCode extends Error {}

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

/** Starts the tab anew for newer code, unless that was tried already and did not help. */
export function reloadOnce(): void {
  if (sessionStorage.getItem(RELOADED)) return;
  sessionStorage.setItem(RELOADED, 'yes');
  location.reload();
}

async function why(error: unknown): Promise<never> {
  throw (await serverAnswers()) ? new MissingCode('missing code', { cause: error }) : unreachable();
}
