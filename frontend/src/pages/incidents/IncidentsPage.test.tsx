import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { expect, it } from 'vitest';
import { changeIncident, db, emit } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { seed } from '../../../mock/seed/world';
import { server } from '../../../mock/testing';

const rows = () => screen.getAllByRole('row');
const titles = () => rows().map((row) => within(row).getByRole('link').textContent);

it('shows what needs someone first', async () => {
  renderApp('/incidents');
  await screen.findAllByRole('row');
  expect(titles().slice(0, 2)).toEqual([
    'checkout-api: 14% of requests failing (limit 1%)',
    'cart: memory of 2 pods grows 40 MiB an hour',
  ]);
  expect(within(rows()[0] as HTMLElement).getAllByText('Critical').length).toBeGreaterThan(0);
  expect(screen.getByText(/Likely \(high\): Deploy v2.41.0/)).toBeTruthy();
});

it('names whoever acknowledged an incident without an owner, and counts from the first alert', async () => {
  renderApp('/incidents');
  const link = await screen.findByRole('link', { name: /payments: p99 latency/ });
  const row = within(link.closest('[role="row"]') as HTMLElement);
  expect(row.queryByText('nobody')).toBeNull();
  expect(row.getAllByTitle('Acknowledged by Ana Ruiz').length).toBeGreaterThan(0);
  expect(row.getAllByText('23m').length).toBeGreaterThan(0);
});

it('keeps the filter in the address, the box and the chips alike', async () => {
  const { user, at } = renderApp('/incidents');
  await screen.findAllByRole('row');
  await user.click(screen.getByRole('button', { name: /2\s*high/ }));
  await waitFor(() => expect(at()).toBe('/incidents?q=is%3Aopen+severity%3Ahigh'));
  expect(screen.getByRole<HTMLInputElement>('combobox', { name: 'Filter incidents' }).value).toBe(
    'is:open severity:high',
  );
  await waitFor(() => expect(screen.queryAllByRole('row')).toHaveLength(2));
  await user.clear(screen.getByRole('combobox', { name: 'Filter incidents' }));
  await user.type(screen.getByRole('combobox', { name: 'Filter incidents' }), 'service:search is:open');
  await waitFor(() => expect(titles()).toEqual(['search: disk 91% full, full in about 2 h']));
});

it('explains a filter it does not know', async () => {
  const { user } = renderApp('/incidents');
  await user.type(await screen.findByRole('combobox', { name: 'Filter incidents' }), ' colour:red');
  const told = await screen.findByText(/“colour:” is not a filter/);
  expect(told.nextElementSibling).toBe(screen.getByRole('region', { name: 'Summary' }));
});

it('adds to the filter after /, and gives up what is not yet applied at Escape', async () => {
  const { user, at } = renderApp('/incidents');
  await screen.findAllByRole('row');
  const box = screen.getByRole<HTMLInputElement>('combobox', { name: 'Filter incidents' });
  await user.keyboard('/s');
  expect(box.value).toBe('is:open s');
  fireEvent.change(box, { target: { value: 'is:open slow' } });
  await waitFor(() => expect(at()).toBe('/incidents?q=is%3Aopen+slow'));
  fireEvent.change(box, { target: { value: 'is:open slower' } });
  const unprevented = fireEvent.keyDown(box, { key: 'Escape' });
  expect(unprevented).toBe(false);
  expect(box.value).toBe('is:open slow');
  expect(document.activeElement).not.toBe(box);
  expect(at()).toBe('/incidents?q=is%3Aopen+slow');
});

it('comes back to the row that one left', async () => {
  const { user, router } = renderApp('/incidents');
  await user.click(await screen.findByRole('link', { name: /payments: p99 latency/ }));
  await screen.findByRole('heading', { level: 1, name: /payments: p99 latency/ });
  router.history.back();
  const link = await screen.findByRole('link', { name: /payments: p99 latency/ });
  await waitFor(() => expect(document.activeElement).toBe(link));
});

it('holds ten thousand rows with few of them in the page', async () => {
  seed('shop', 10_000);
  renderApp('/incidents?q=');
  await screen.findAllByRole('row');
  expect(rows().length).toBeLessThan(60);
});

it('acknowledges the row one stands on with a', async () => {
  const { user } = renderApp('/incidents');
  await screen.findAllByRole('row');
  await user.keyboard('j');
  await user.keyboard('a');
  await waitFor(() => expect(db.incidents.find((one) => one.number === 142)?.state).toBe('acknowledged'));
});

it.each([
  [0, 0, 'No acknowledgements in 7 d'],
  [3, 0, 'Acknowledged in 0s, median of 7 d (n=3)'],
])(
  'counts %i acknowledgements by their number, not by their median',
  async (mtta_count, mtta_median_s, told) => {
    server.use(
      http.get('*/api/v1/incidents/summary', () =>
        HttpResponse.json({
          open: 0,
          unacknowledged: 0,
          still_firing: 0,
          open_by_severity: {},
          mtta_count,
          mtta_median_s,
          server_time: new Date().toISOString(),
        }),
      ),
    );
    renderApp('/incidents');
    expect(await screen.findByText(told)).toBeTruthy();
  },
);

it('tells of several new incidents in one message', async () => {
  renderApp('/incidents?q=nothing-like-this');
  await screen.findByText('Live');
  const [incident] = db.incidents;
  if (!incident) throw new Error('no incident');
  emit('incident.created', { ...incident, number: 901, title: 'The first' });
  expect(await screen.findByText('The first')).toBeTruthy();
  emit('incident.created', { ...incident, number: 902, title: 'The second' });
  expect(await screen.findByText('2 new incidents')).toBeTruthy();
  expect(screen.queryByText('The first')).toBeNull();
});

it('changes a row in place when an event says so, and greets a new incident with a toast', async () => {
  renderApp('/incidents');
  await screen.findAllByRole('row');
  await screen.findByText('Live');
  const incident = db.incidents.find((one) => one.number === 142);
  if (!incident) throw new Error('no incident');
  changeIncident(incident, { title: 'checkout-api: 20% of requests failing' });
  expect(await screen.findByText('checkout-api: 20% of requests failing')).toBeTruthy();
  const made = { ...incident, id: 'new', number: 999, title: 'A new one' };
  db.incidents.unshift(made);
  emit('incident.created', made);
  expect(await screen.findByText('Critical, new incident INC-999')).toBeTruthy();
  expect((await screen.findAllByText('A new one')).length).toBeGreaterThan(0);
});

it('says why it cannot show anything, and tries again', async () => {
  server.use(http.get('*/api/v1/incidents', () => new HttpResponse(null, { status: 500 }), { once: true }));
  const { user } = renderApp('/incidents');
  expect(await screen.findByText('The server failed.')).toBeTruthy();
  await user.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByRole('grid')).toBeTruthy();
});

it('opens an incident by hand', async () => {
  const { user, at } = renderApp('/incidents');
  await screen.findAllByRole('row');
  await user.keyboard('n');
  const dialog = await screen.findByRole('dialog');
  await user.click(within(dialog).getByRole('button', { name: 'Open incident' }));
  expect(await within(dialog).findByText('Say in a few words what is wrong.')).toBeTruthy();
  await user.type(within(dialog).getByLabelText('What is wrong'), 'Checkout is slow');
  await user.selectOptions(within(dialog).getByLabelText('Severity'), 'high');
  await user.click(within(dialog).getByRole('button', { name: 'Open incident' }));
  await waitFor(() => expect(at()).toMatch('/incidents/INC-143'));
  expect(await screen.findByRole('heading', { name: 'Checkout is slow' })).toBeTruthy();
});

it('offers a viewer nothing that a viewer may not do', async () => {
  db.me.role = 'viewer';
  renderApp('/incidents');
  const button = await screen.findByRole('button', { name: 'New incident' });
  expect(button.getAttribute('aria-disabled')).toBe('true');
  expect(button.title).toBe('Only an engineer or higher can do this; you are a viewer.');
});

it('tells below the list, and nowhere else, of what waits while someone points at it', async () => {
  const { user } = renderApp('/incidents');
  await screen.findAllByRole('row');
  await screen.findByText('Live');
  await user.hover(rows()[0] as HTMLElement);
  const [incident] = db.incidents;
  if (!incident) throw new Error('no incident');
  const made = {
    ...incident,
    id: 'new',
    number: 999,
    title: 'A new one',
    detected_at: new Date().toISOString(),
  };
  db.incidents.unshift(made);
  emit('incident.created', made);
  const bar = await screen.findByRole('button', { name: '1 new' });
  const { DOCUMENT_POSITION_FOLLOWING } = Node;
  expect(screen.getByRole('grid').compareDocumentPosition(bar) & DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
  expect(screen.queryByText(/new incident INC-999/)).toBeNull();
});
