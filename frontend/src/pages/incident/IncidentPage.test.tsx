import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { expect, it } from 'vitest';
import { db, emit, findIncident } from '../../../mock/db';
import { renderApp } from '../../../mock/renderApp';
import { seed } from '../../../mock/seed/world';
import { server } from '../../../mock/testing';
import { scoreText } from './Theory';

const main = () => within(screen.getByRole('main'));
const facts = () => within(screen.getByRole('region', { name: 'Facts' }));

it('says first how bad, what, since when, and who has it', async () => {
  renderApp('/incidents/INC-142');
  expect(await screen.findByRole('heading', { level: 1 })).toHaveProperty(
    'textContent',
    'checkout-api: 14% of requests failing (limit 1%)',
  );
  for (const text of ['Critical', 'Not acknowledged', 'nobody', '3 firing of 3'])
    expect(facts().getByText(text)).toBeTruthy();
});

it('acknowledges in three visible states: sending, failed with a way back, confirmed', async () => {
  const { user } = renderApp('/incidents/INC-142');
  const button = await screen.findAllByRole('button', { name: /^Acknowledge/ });
  server.use(
    http.patch('*/api/v1/incidents/:id/state', () => new HttpResponse(null, { status: 503 }), { once: true }),
  );
  await user.click(button[0] as HTMLElement);
  expect(await facts().findByText(/The server is busy/)).toBeTruthy();
  expect(findIncident('INC-142')?.state).toBe('detected');
  await user.click(facts().getByRole('button', { name: 'Try again' }));
  await waitFor(() => expect(findIncident('INC-142')?.state).toBe('acknowledged'));
  await waitFor(() =>
    expect(
      facts()
        .getAllByText(/^Acknowledged/)
        .map((one) => one.textContent),
    ).toContainEqual(expect.stringMatching(/^Acknowledged \d\d:\d\d:\d\d/)),
  );
  expect(facts().queryByRole('button', { name: /^Acknowledge$/ })).toBeNull();
});

it('offers only the legal moves', async () => {
  renderApp('/incidents/INC-138');
  await screen.findByRole('heading', { level: 1 });
  const names = facts()
    .getAllByRole('button')
    .map((button) => button.textContent?.trim());
  expect(names).toEqual(expect.arrayContaining(['Resolve', 'Back to investigating']));
  expect(names).not.toContain('Mark inconclusive');
});

it('shows evidence for and against, and opens it to its query', async () => {
  const { user } = renderApp('/incidents/INC-142');
  const theory = await screen.findByRole('article', { name: /exhausted the connection pool/ });
  expect(within(theory).getAllByText('for')).toHaveLength(3);
  expect(within(theory).getAllByText('against')).toHaveLength(1);
  await user.click(within(theory).getByRole('button', { name: /Waiting for a database connection/ }));
  expect(within(theory).getByText(/db_pool_wait_seconds_bucket/)).toBeTruthy();
  expect(within(theory).getByRole('img', { name: /Between .* and .* s/ })).toBeTruthy();
  expect(theory.textContent).not.toMatch(/ against [\d.]/);
  expect(screen.getAllByText('High confidence')).toHaveLength(1);
});

it('names the other theories without a number, for they begin after the first', async () => {
  const { user } = renderApp('/incidents/INC-142');
  await user.click(await screen.findByRole('button', { name: /^payments answers slower/ }));
  expect(screen.getByRole('article', { name: /^payments answers slower/ })).toBeTruthy();
});

it('shows a few of many findings, the nearest in time first, and all of them on paper', async () => {
  const { id, started_at } = findIncident('INC-140') ?? { id: '', started_at: '' };
  const [symptom] = db.evidence.get(id) ?? [];
  if (!symptom) throw new Error('it has a symptom');
  const fired = (minutes: number) => ({
    ...{ ...symptom, id: `alert-${minutes}`, kind: 'alert' as const, role: 'context' as const },
    ...{ summary: `BackupOld fired ${minutes} min before the alarm`, query: null, series: null, end: null },
    start: new Date(Date.parse(started_at) - minutes * 60_000).toISOString(),
  });
  db.evidence.set(id, [symptom, ...[68, 52, 41, 33, 20, 9, 2].map(fired)]);
  const { user } = renderApp('/incidents/INC-140');
  const found = within(await screen.findByRole('region', { name: 'What was found' }));
  const minutes = () => found.getAllByRole('listitem').map((one) => /\d+/.exec(one.textContent ?? '')?.[0]);
  expect(minutes()).toEqual(['2', '9', '20', '33', '41']);
  fireEvent(window, new Event('beforeprint'));
  expect(minutes()).toEqual(['2', '9', '20', '33', '41', '52', '68']);
  fireEvent(window, new Event('afterprint'));
  expect(minutes()).toHaveLength(5);
  await user.click(found.getByRole('button', { name: 'and 2 more' }));
  expect(minutes()).toEqual(['2', '9', '20', '33', '41', '52', '68']);
});

it('stores whether a theory was right', async () => {
  const { user } = renderApp('/incidents/INC-142');
  const theory = await screen.findByRole('article', { name: /exhausted the connection pool/ });
  expect(within(theory).getByText('Was this right?', { ignore: '.sr-only' })).toBeTruthy();
  await user.click(within(theory).getByRole('button', { name: 'Wrong' }));
  const saved = await within(theory).findByText(/called this wrong, saved/);
  expect(within(theory).getByRole('button', { name: 'Wrong' }).getAttribute('aria-pressed')).toBe('true');
  expect(saved.textContent).toMatch(
    /^Robin Vale called this wrong, saved \d\d:.* like this one, checkout-api counts less as the cause/,
  );
  expect(screen.getAllByText('Called wrong')).toHaveLength(2);
});

it('names a range only where there is one', () => {
  const score = (confidence_lower: number, confidence_upper: number) =>
    scoreText({ confidence_score: 0.72, confidence_lower, confidence_upper });
  expect(score(0.718, 0.724)).toBe('Score 0.72');
  expect(score(0.6, 0.8)).toBe('Score 0.72, likely between 0.6 and 0.8');
});

it.each([
  ['INC-140', 'Not enough evidence to name a cause.', 'What was checked'],
  ['INC-138', 'The analysis failed.', /answered 503 three times/],
  ['INC-141', /Comparing metrics, alerts and changes/, /so far/],
])('%s: says honestly that there is no cause', async (ref, text, more) => {
  renderApp(`/incidents/${ref}`);
  expect(await screen.findByText(text)).toBeTruthy();
  expect(screen.getByText(more)).toBeTruthy();
  expect(screen.queryByText('Most likely cause')).toBeNull();
});

it('shows a theory as plain text, whatever it holds', async () => {
  const items = db.hypotheses.get(findIncident('INC-142')?.id ?? '')?.items;
  if (items?.[0]) items[0].claim = '<img src=x onerror=alert(1)> **bold**';
  renderApp('/incidents/INC-142');
  expect(await screen.findByText('<img src=x onerror=alert(1)> **bold**')).toBeTruthy();
  expect(document.querySelector('main img')).toBeNull();
});

it('asks for the cause when resolving, and keeps it', async () => {
  const { user } = renderApp('/incidents/INC-138');
  await screen.findByRole('heading', { level: 1 });
  await user.keyboard('r');
  const dialog = await screen.findByRole('dialog');
  await user.type(within(dialog).getByLabelText('Root cause'), 'An expired key');
  await user.click(within(dialog).getByRole('button', { name: 'Resolve' }));
  await waitFor(() => expect(findIncident('INC-138')?.state).toBe('resolved'));
  expect(findIncident('INC-138')?.root_cause).toBe('An expired key');
  expect(await main().findByText('An expired key')).toBeTruthy();
});

it('adds a note to the timeline', async () => {
  const { user } = renderApp('/incidents/INC-140');
  await user.type(await screen.findByLabelText('Add a note'), 'Deleting old snapshots');
  await user.click(screen.getByRole('button', { name: 'Add note' }));
  expect(await screen.findByText('Deleting old snapshots', { selector: 'p' })).toBeTruthy();
});

it('shows a hypothesis that arrives while one reads', async () => {
  renderApp('/incidents/INC-141');
  await screen.findByText(/so far/);
  await screen.findByText('Live');
  const id = findIncident('INC-141')?.id ?? '';
  const done = db.hypotheses.get(findIncident('INC-142')?.id ?? '');
  if (done) db.hypotheses.set(id, done);
  emit('hypothesis.generated', { incident_id: id });
  expect(await screen.findByText('Most likely cause')).toBeTruthy();
});

it('can be asked about as soon as the analysis has ended', async () => {
  let off: string | null = 'This incident has not been analysed yet.';
  server.use(http.get('*/api/v1/incidents/:id/questions', () => HttpResponse.json({ off, items: [] })));
  renderApp('/incidents/INC-141');
  await screen.findByText('This incident has not been analysed yet.');
  await screen.findByText('Live');
  off = null;
  emit('hypothesis.generated', { incident_id: findIncident('INC-141')?.id ?? '' });
  expect(await screen.findByLabelText('Your question')).toBeTruthy();
});

it('says when there is no such incident', async () => {
  renderApp('/incidents/INC-99999');
  expect(await screen.findByText('There is nothing at this address')).toBeTruthy();
  expect(screen.getByRole('link', { name: 'Skip to content' }).getAttribute('href')).toBe('#main');
  expect(screen.getByRole('main').id).toBe('main');
});

it('says as of when a measurement is, and measures again when asked', async () => {
  const { user } = renderApp('/incidents/INC-142');
  const card = within(await screen.findByRole('region', { name: 'The alert’s own measurement' }));
  const before = card.getByText(/^as of/).textContent;
  expect(before).toMatch(/^as of \d\d:\d\d:\d\d /);
  expect(card.getByText(/^times in /)).toBeTruthy();
  server.use(
    http.post('*/evidence/:eid/run', () =>
      HttpResponse.json({
        query: 'up',
        was: { value: 0.14, at: null },
        now: { value: 0.01, at: '2026-01-24T13:30:00Z' },
        series: [{ labels: {}, points: [[1, 0.01]] }],
        unit: 'ratio',
        reason: null,
      }),
    ),
  );
  await user.click(card.getByRole('button', { name: 'Run again' }));
  await waitFor(() => expect(card.getByText(/^as of/).textContent).toMatch(/24 Jan/));
  expect(card.getByRole('img', { name: /1% throughout/ })).toBeTruthy();
});

it('keeps what was being written while one looks elsewhere, until it is sent', async () => {
  const { user, router } = renderApp('/incidents/INC-140');
  await user.type(await screen.findByLabelText('Add a note'), 'Half a thou');
  await router.navigate({ to: '/incidents/$ref', params: { ref: 'INC-138' } });
  await screen.findByRole('heading', { level: 1, name: /e-mails/ });
  expect(screen.getByLabelText('Add a note')).toHaveProperty('value', '');
  await user.keyboard('r');
  await user.type(within(await screen.findByRole('dialog')).getByLabelText('Root cause'), 'An expired');
  await user.keyboard('{Escape}');
  await router.navigate({ to: '/incidents/$ref', params: { ref: 'INC-140' } });
  await screen.findByRole('heading', { level: 1, name: /disk/ });
  const note = screen.getByLabelText('Add a note');
  expect(note).toHaveProperty('value', 'Half a thou');
  await user.type(note, 'ght{Control>}{Enter}{/Control}');
  await screen.findByText('Half a thought', { selector: 'p' });
  expect(sessionStorage.length).toBe(1);
  await router.navigate({ to: '/incidents/$ref', params: { ref: 'INC-138' } });
  await screen.findByRole('heading', { level: 1, name: /e-mails/ });
  await user.keyboard('r');
  const dialog = within(await screen.findByRole('dialog'));
  expect(dialog.getByLabelText('Root cause')).toHaveProperty('value', 'An expired');
  await user.click(dialog.getByRole('button', { name: 'Resolve' }));
  await waitFor(() => expect(sessionStorage.length).toBe(0));
});

it('says once what many alerts have in common', async () => {
  seed('odd', 1);
  renderApp('/incidents/INC-202?tab=alerts');
  await screen.findByText('The same for all 42');
  expect(screen.getAllByText('namespace')).toHaveLength(1);
  expect(screen.getAllByText('pod')).toHaveLength(42);
});

it('tells which of its parts is shown', async () => {
  const { user } = renderApp('/incidents/INC-142');
  const parts = within(await screen.findByRole('navigation', { name: 'Parts of the incident' }));
  const current = () =>
    parts.getAllByRole('link').flatMap((one) => (one.getAttribute('aria-current') ? [one.textContent] : []));
  expect(current()).toEqual(['Overview']);
  await user.click(parts.getByRole('link', { name: /^Alerts/ }));
  await waitFor(() => expect(current()).toEqual(['Alerts 3']));
});
