import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, expect, it } from 'vitest';
import { changeIncident, findIncident } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { seed } from '../../../mock/seed/world';

beforeEach(() => {
  seed('odd', 1);
  Object.assign(findIncident('INC-201') ?? {}, { root_cause: null, resolution_summary: null });
});

const dialog = async () => within(await screen.findByRole('dialog'));

it('asks for the root cause of an incident that ended by itself', async () => {
  const { user } = renderApp('/incidents/INC-201');
  await user.click(await screen.findByRole('button', { name: 'Add root cause' }));
  const asked = await dialog();
  await user.type(asked.getByLabelText('Root cause'), 'A full disk');
  await user.click(asked.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(findIncident('INC-201')).toMatchObject({ root_cause: 'A full disk', state: 'resolved' });
  expect(await screen.findByText('A full disk')).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Add root cause' })).toBeNull();
});

it('takes back a written cause where it is edited', async () => {
  Object.assign(findIncident('INC-201') ?? {}, { root_cause: 'A guess', resolution_summary: 'A restart' });
  const { user } = renderApp('/incidents/INC-201');
  await screen.findByText('A guess');
  await user.keyboard('e');
  const edited = await dialog();
  await user.clear(edited.getByLabelText('Root cause'));
  await user.click(edited.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(findIncident('INC-201')?.root_cause).toBeNull());
  expect(findIncident('INC-201')?.resolution_summary).toBe('A restart');
});

it('takes back a written cause when resolving', async () => {
  const incident = findIncident('INC-203');
  if (incident) incident.root_cause = 'A guess';
  const { user } = renderApp('/incidents/INC-203');
  await screen.findByText('A guess');
  await user.keyboard('r');
  const asked = await dialog();
  await user.clear(asked.getByLabelText('Root cause'));
  await user.click(asked.getByRole('button', { name: 'Resolve' }));
  await waitFor(() => expect(incident?.state).toBe('resolved'));
  expect(incident?.root_cause).toBeNull();
});

it('clears no cause that somebody else wrote meanwhile', async () => {
  const incident = findIncident('INC-203');
  if (!incident) throw new Error('it is there');
  const { user } = renderApp('/incidents/INC-203');
  await screen.findByText('Live');
  await user.keyboard('r');
  const asked = await dialog();
  changeIncident(incident, { root_cause: 'A full disk' });
  await screen.findByText('A full disk');
  await user.click(asked.getByRole('button', { name: 'Resolve' }));
  await waitFor(() => expect(incident.state).toBe('resolved'));
  expect(incident.root_cause).toBe('A full disk');
});
