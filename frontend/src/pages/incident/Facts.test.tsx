import { screen, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import { findIncident } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { seed } from '../../../mock/seed/world';

async function facts(ref: string) {
  seed('odd', 1);
  renderApp(`/incidents/${ref}`);
  await screen.findByRole('heading', { level: 1 });
  const region = within(screen.getByRole('region', { name: 'Facts' }));
  await region.findByRole('link');
  return (name: string) => region.getByText(name, { selector: 'dt' }).nextElementSibling?.textContent ?? '';
}

it('says who acknowledged it, and when', async () => {
  const fact = await facts('INC-202');
  expect(fact('Acknowledged')).toMatch(/^Robin Vale, (?:\w{3} \d\d \w{3} )?\d\d:\d\d:\d\d/);
});

it('counts from the start, and says when it was received if that was much later', async () => {
  const fact = await facts('INC-202');
  expect(fact('Started')).toMatch(/\(1h 1[12]m, received 12m 00s later\)$/);
});

it('has the runbook on the first screen', async () => {
  const fact = await facts('INC-202');
  expect(fact('Runbook')).not.toBe('');
  const link = screen.getAllByRole('link').find((one) => one.getAttribute('href')?.includes('runbooks'));
  expect(link?.getAttribute('rel')).toBe('noreferrer noopener');
});

it('says that an alert still fires though the incident is resolved', async () => {
  await facts('INC-201');
  expect(screen.getByText('1 alert still firing')).toBeTruthy();
});

it('shows what is code in the reason of the severity as code', async () => {
  seed('odd', 1);
  const incident = findIncident('INC-202');
  if (incident) incident.severity_note = '`severity=nonsense` is not a severity we know; medium is assumed';
  renderApp('/incidents/INC-202');
  expect((await screen.findByText('severity=nonsense')).tagName).toBe('CODE');
});
