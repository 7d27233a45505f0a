import { screen, waitFor } from '@testing-library/react';
import { expect, it } from 'vitest';
import { changeIncident, findIncident } from '../../mock/db';
import { renderApp } from '../../mock/renderApp';

const titled = (title: string) => waitFor(() => expect(document.title).toBe(title));

it.each([
  ['/incidents/INC-141', 'INC-141 payments: p99 latency 4.8 s (objective 800 ms) · SRE Copilot'],
  ['/incidents', 'Incidents · SRE Copilot'],
  ['/analytics', 'Analytics · SRE Copilot'],
  ['/settings/members', 'Settings · SRE Copilot'],
  ['/nowhere', 'Not found · SRE Copilot'],
])('%s names its tab', async (path, title) => {
  renderApp(path);
  await titled(title);
});

it('follows the title of the incident, and lets nothing in it turn the tab around', async () => {
  renderApp('/incidents/INC-141');
  await screen.findByText('Live');
  const incident = findIncident('INC-141');
  if (incident) changeIncident(incident, { title: `\u202e${'x'.repeat(1200)}` });
  await titled(`INC-141 ${'x'.repeat(112)} · SRE Copilot`);
});
