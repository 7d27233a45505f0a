/**
 * Starts the mock in the browser. What it holds is chosen in the address and kept for the tab:
 * `?mock=shop|odd|quiet|empty|first`, `&past=10000`, `&still` for no events by themselves.
 */
import { setupWorker } from 'msw/browser';
import { db } from './db';
import { handlers } from './handlers/all';
import { playStory } from './script';
import { type Scenario, seed } from './seed/world';

const KEY = 'sre-copilot.mock';

export async function startMock(): Promise<void> {
  const asked = new URLSearchParams(location.search);
  if (asked.has('mock')) sessionStorage.setItem(KEY, asked.toString());
  const params = new URLSearchParams(sessionStorage.getItem(KEY) ?? '');
  seed((params.get('mock') ?? 'shop') as Scenario, Number(params.get('past') ?? 60));
  if (params.has('out')) db.signedIn = false;
  const worker = setupWorker(...handlers);
  await worker.start({ quiet: true, onUnhandledRequest: 'bypass' });
  if (!params.has('still')) void playStory();
}
