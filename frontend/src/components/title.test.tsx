import { screen, waitFor } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { beforeEach, expect, it } from 'vitest';
import { changeIncident, db, findIncident } from '../../mock/db';
import { renderApp } from '../../mock/renderApp';
import { server } from '../../mock/testing';

const titled = (title: string) => waitFor(() => expect(document.title).toBe(title));
const icon = () => document.querySelector('link[rel="icon"]')?.getAttribute('href');

beforeEach(() => {
  document.head.innerHTML = '<link rel="icon" href="/favicon.svg">';
});

/** Nobody has to be told of anything, but for these. */
function leaveWaiting(...numbers: number[]): void {
  for (const one of db.incidents)
    if (!numbers.includes(one.number)) Object.assign(one, { open: false, state: 'resolved' });
}

it.each([
  ['/incidents/INC-141', 'INC-141 payments: p99 latency 4.8 s (objective 800 ms) · SRE Copilot'],
  ['/incidents', 'Incidents · SRE Copilot'],
  ['/analytics', 'Analytics · SRE Copilot'],
  ['/settings/members', 'Settings · SRE Copilot'],
  ['/nowhere', 'Not found · SRE Copilot'],
])('%s names its tab', async (path, title) => {
  leaveWaiting();
  renderApp(path);
  await titled(title);
});

it('follows the title of the incident, and lets nothing in it turn the tab around', async () => {
  leaveWaiting();
  renderApp('/incidents/INC-141');
  await screen.findByText('Live');
  const incident = findIncident('INC-141');
  if (incident) changeIncident(incident, { title: `\u202e${'x'.repeat(1200)}` });
  await titled(`INC-141 ${'x'.repeat(112)} · SRE Copilot`);
});

it('counts in the tab what nobody has acknowledged, and marks it while a critical one is open', async () => {
  leaveWaiting(142);
  const { leave } = renderApp('/analytics');
  await titled('(1) Analytics · SRE Copilot');
  expect(icon()).toBe('/favicon-critical.svg');
  await screen.findByText('Live');
  const incident = findIncident('INC-142');
  if (incident) changeIncident(incident, { state: 'acknowledged' });
  await titled('Analytics · SRE Copilot');
  expect(icon()).toBe('/favicon-critical.svg');
  if (incident) changeIncident(incident, { state: 'resolved', open: false });
  await waitFor(() => expect(icon()).toBe('/favicon.svg'));
  leave();
  expect(document.title).toBe('Analytics · SRE Copilot');
});

it('keeps the sign from page to page, and while the count cannot be read again', async () => {
  leaveWaiting(142);
  const { router, client } = renderApp('/incidents');
  await titled('(1) Incidents · SRE Copilot');
  const titles = new Set<string>();
  const seen = new MutationObserver(() => titles.add(document.title));
  seen.observe(document.head, { childList: true, subtree: true, characterData: true });
  await router.navigate({ to: '/analytics' });
  await titled('(1) Analytics · SRE Copilot');
  server.use(http.get('*/incidents/summary', () => new HttpResponse(null, { status: 503 })));
  await client.invalidateQueries({ queryKey: ['summary'] });
  expect(document.title).toBe('(1) Analytics · SRE Copilot');
  expect([...titles]).toEqual(['(1) Analytics · SRE Copilot']);
  expect(icon()).toBe('/favicon-critical.svg');
  seen.disconnect();
});
