import { screen, waitFor } from '@testing-library/react';
import { expect, it } from 'vitest';
import { db } from '../../mock/db';
import { renderApp } from '../../mock/renderApp';

const [STAGING_TITLE, PRODUCTION_TITLE] = ['staging: a disk is full', /14% of requests failing/];

/** The same number in another project, which is how numbers are. */
function stagingHas142() {
  const staging = db.projects.find((one) => one.name === 'Staging');
  const twin = db.incidents.find((one) => one.number === 142);
  if (!staging || !twin) throw new Error('the mock lacks a project or an incident');
  db.incidents.push({ ...twin, id: 'twin', project_id: staging.id, title: STAGING_TITLE });
  return staging;
}

/** What another tab of the same session does. */
function switchElsewhere({ tell }: { tell: boolean }) {
  const staging = stagingHas142();
  db.me = { ...db.me, project: staging };
  if (!tell) return;
  const channel = new BroadcastChannel('sre-copilot.project');
  channel.postMessage('switched');
  channel.close();
}

it('names the project in the address of an incident, so that it can be sent to anyone', async () => {
  const { at } = renderApp('/incidents/INC-142?tab=alerts');
  await screen.findByRole('heading', { name: PRODUCTION_TITLE, level: 1 });
  expect(at()).toBe(`/incidents/INC-142?tab=alerts&project=${db.me.project.id}`);
});

it('asks before it shows an incident of another project, and then shows that one', async () => {
  const staging = stagingHas142();
  const { user, at } = renderApp(`/incidents/INC-142?project=${staging.id}`);
  expect(await screen.findByText('This is in Staging')).toBeTruthy();
  expect(screen.queryByRole('heading', { name: PRODUCTION_TITLE })).toBeNull();
  await user.click(screen.getByRole('button', { name: 'Switch to Staging' }));
  expect(await screen.findByRole('heading', { name: STAGING_TITLE, level: 1 })).toBeTruthy();
  expect(at()).toBe(`/incidents/INC-142?project=${staging.id}`);
});

it('says so when the reader is not in the project of a link', async () => {
  renderApp('/incidents/INC-142?project=somewhere');
  expect(await screen.findByText('You are not in this project')).toBeTruthy();
});

it.each([
  ['another tab says so', () => switchElsewhere({ tell: true })],
  [
    'the reader comes back to the tab',
    () => {
      switchElsewhere({ tell: false });
      document.dispatchEvent(new Event('visibilitychange'));
      window.dispatchEvent(new Event('visibilitychange'));
    },
  ],
])('shows the project of the session once %s', async (_, happens) => {
  renderApp('/incidents');
  await screen.findByText(PRODUCTION_TITLE);
  happens();
  expect(await screen.findByText(STAGING_TITLE)).toBeTruthy();
  await waitFor(() => expect(screen.queryByText(PRODUCTION_TITLE)).toBeNull());
  expect(screen.getByRole('button', { name: /Staging.*Switch project/ })).toBeTruthy();
});

it('does not turn an incident into its namesake when another tab switches', async () => {
  renderApp('/incidents/INC-142');
  await screen.findByRole('heading', { name: PRODUCTION_TITLE, level: 1 });
  switchElsewhere({ tell: true });
  expect(await screen.findByText('This is in Production')).toBeTruthy();
  expect(screen.queryByText(STAGING_TITLE)).toBeNull();
});
