import { act, screen, waitFor, within } from '@testing-library/react';
import { beforeEach, expect, it, vi } from 'vitest';
import { db } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { nameProblem, viewOf } from './savedViews';

const key = (project = db.me.project.id) => `sre-copilot.views.${db.me.user.id}.${project}`;
const keep = (...views: unknown[]) => localStorage.setItem(key(), JSON.stringify(views));
const kept = () => JSON.parse(localStorage.getItem(key()) ?? '[]') as { name: string; filter: string }[];
const NIGHT = { name: 'Checkout at night', filter: 'is:open service:checkout-api' };
const SEVERE = { name: 'Severe', filter: 'is:open severity:critical' };

beforeEach(() => localStorage.clear());

async function open(path = '/incidents') {
  const view = renderApp(path);
  await screen.findByRole('combobox', { name: 'Filter incidents' });
  const menu = async () => {
    await view.user.click(screen.getByRole('button', { name: /^View/ }));
    return within(await screen.findByRole('menu'));
  };
  return { ...view, menu };
}

it('saves the filter under a name, shows which view is shown, and goes to another one', async () => {
  keep(SEVERE);
  const { user, at, menu } = await open('/incidents?q=is:open service:checkout-api');
  await user.click((await menu()).getByRole('menuitem', { name: 'Save this view' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Save this view' }));
  await user.type(dialog.getByLabelText('Name'), ' Checkout at night ');
  await user.click(dialog.getByRole('button', { name: 'Save' }));
  await screen.findByRole('button', { name: 'View: Checkout at night' });
  expect(kept()).toEqual([SEVERE, NIGHT]);
  await user.click((await menu()).getByRole('menuitemradio', { name: 'Severe' }));
  await waitFor(() => expect(at()).toBe('/incidents?q=is%3Aopen+severity%3Acritical'));
  expect(await screen.findByRole('button', { name: 'View: Severe' })).toBeTruthy();
});

it('opens with v', async () => {
  const { user } = await open();
  await screen.findAllByRole('row');
  await user.keyboard('v');
  expect(
    within(await screen.findByRole('menu')).getByRole('menuitem', { name: 'Save this view' }),
  ).toBeTruthy();
});

it('takes no name twice and none that is empty', async () => {
  keep(SEVERE);
  const { user, menu } = await open();
  await user.click((await menu()).getByRole('menuitem', { name: 'Save this view' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Save this view' }));
  await user.click(dialog.getByRole('button', { name: 'Save' }));
  expect(dialog.getByText('A name is needed.')).toBeTruthy();
  await user.type(dialog.getByLabelText('Name'), 'severe');
  await user.click(dialog.getByRole('button', { name: 'Save' }));
  expect(dialog.getByText('Another view has this name.')).toBeTruthy();
  expect(kept()).toEqual([SEVERE]);
});

it('renames a view, deletes it and gives it back', async () => {
  keep(SEVERE, NIGHT);
  const { user, menu } = await open();
  await user.click((await menu()).getByRole('menuitem', { name: 'Rename, share or delete' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Saved views' }));
  await user.click(dialog.getByRole('button', { name: 'Rename Severe' }));
  await user.clear(dialog.getByLabelText('New name of Severe'));
  await user.type(dialog.getByLabelText('New name of Severe'), 'Worst{Enter}');
  const worst = { ...SEVERE, name: 'Worst' };
  expect(kept()).toEqual([worst, NIGHT]);
  await waitFor(() =>
    expect(document.activeElement).toBe(dialog.getByRole('button', { name: 'Rename Worst' })),
  );
  await user.click(dialog.getByRole('button', { name: 'Delete Worst' }));
  expect(kept()).toEqual([NIGHT]);
  await user.click(dialog.getByRole('button', { name: 'Undo' }));
  expect(kept()).toEqual([worst, NIGHT]);
});

it('copies an address that names the project', async () => {
  keep(SEVERE);
  const { user, menu } = await open();
  await user.click((await menu()).getByRole('menuitem', { name: 'Rename, share or delete' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Saved views' }));
  await user.click(dialog.getByRole('button', { name: 'Copy a link to Severe' }));
  await dialog.findByText('Link copied');
  expect(await navigator.clipboard.readText()).toBe(
    `${location.origin}/incidents?q=is%3Aopen+severity%3Acritical&project=${db.me.project.id}`,
  );
});

it('belongs to one person and project, and follows another tab', async () => {
  localStorage.setItem(key('another'), JSON.stringify([NIGHT]));
  const { user, menu } = await open();
  expect((await menu()).queryByRole('menuitemradio')).toBeNull();
  await user.keyboard('{Escape}');
  keep({ name: 'Mine', filter: 'is:open' });
  act(() => void window.dispatchEvent(new StorageEvent('storage', { key: key() })));
  expect(await screen.findByRole('button', { name: 'View: Mine' })).toBeTruthy();
});

it('stops at thirty, and reads no more than that, nor what is no view', async () => {
  const many = Array.from({ length: 40 }, (_, n) => ({ name: `View ${n}`, filter: `is:open v${n}` }));
  keep(null, { name: 'x'.repeat(61), filter: '' }, { name: 'no filter' }, ...many);
  const { menu } = await open();
  const shown = await menu();
  expect(shown.getAllByRole('menuitemradio')).toHaveLength(30);
  expect(shown.queryByRole('menuitem', { name: 'Save this view' })).toBeNull();
  expect(shown.getByText(/There are 30 views, which is the most/)).toBeTruthy();
});

it.each(['no json', '{"name":"x"}', '42'])('begins with none when the storage holds %s', async (text) => {
  localStorage.setItem(key(), text);
  const { menu } = await open();
  expect((await menu()).queryByRole('menuitemradio')).toBeNull();
});

it('says that a browser without storage does not keep it', async () => {
  const { user, menu } = await open();
  await user.click((await menu()).getByRole('menuitem', { name: 'Save this view' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Save this view' }));
  await user.type(dialog.getByLabelText('Name'), 'Mine');
  vi.stubGlobal('localStorage', {
    getItem: () => null,
    setItem: () => {
      throw new DOMException('full', 'QuotaExceededError');
    },
  });
  await user.click(dialog.getByRole('button', { name: 'Save' }));
  vi.unstubAllGlobals();
  expect(dialog.getByText(/This browser does not keep it/)).toBeTruthy();
});

it('knows a filter again in another order, and by no other', () => {
  expect(viewOf([SEVERE], 'severity:critical  is:open')).toBe(SEVERE);
  expect(viewOf([SEVERE], 'is:open severity:high')).toBeUndefined();
  expect(viewOf([{ name: 'odd', filter: 'colour:red' }], '')).toBeUndefined();
});

it('keeps its own name when it is renamed', () => {
  expect(nameProblem('SEVERE', [SEVERE], 'Severe')).toBeUndefined();
  expect(nameProblem('SEVERE', [SEVERE])).toBe('Another view has this name.');
  expect(nameProblem('x'.repeat(61), [])).toBe('Use at most 60 characters.');
});
