import { HttpResponse, http } from 'msw';
import { expect, it, vi } from 'vitest';
import { server } from '../../mock/testing';
import { get, PATIENCE_MS, patch, post, whenSignedOut } from './client';
import { ApiError, sentenceOf } from './errors';
import { limitedUntil, writesWaitUntil } from './limit';

const API = '*/api/v1';
const failure = (work: Promise<unknown>): Promise<ApiError> =>
  work.then(
    () => {
      throw new Error('it should have failed');
    },
    (error: unknown) => error as ApiError,
  );

it('refreshes once for many requests that find the session ended, then repeats them', async () => {
  let fresh = false;
  let refreshes = 0;
  server.use(
    http.post(`${API}/auth/refresh`, () => {
      refreshes += 1;
      fresh = true;
      return new HttpResponse(null, { status: 204 });
    }),
    http.get(`${API}/projects`, () =>
      fresh ? HttpResponse.json({ items: [] }) : HttpResponse.json({ status: 401 }, { status: 401 }),
    ),
  );
  const answers = await Promise.all([get('/projects'), get('/projects'), get('/projects')]);
  expect(answers).toEqual([{ items: [] }, { items: [] }, { items: [] }]);
  expect(refreshes).toBe(1);
});

it('says when the session has ended for good', async () => {
  const ended = vi.fn();
  whenSignedOut(ended);
  server.use(
    http.post(`${API}/auth/refresh`, () => new HttpResponse(null, { status: 401 })),
    http.get(`${API}/projects`, () => new HttpResponse(null, { status: 401 })),
  );
  const error = await failure(get('/projects'));
  expect(error.status).toBe(401);
  expect(ended).toHaveBeenCalledTimes(1);
  whenSignedOut(() => {});
});

it('does not refresh because of a wrong password', async () => {
  const refresh = vi.fn(() => new HttpResponse(null, { status: 204 }));
  server.use(http.post(`${API}/auth/refresh`, refresh));
  const error = await failure(post('/auth/login', { email: 'a@b', password: 'wrong password!' }));
  expect(error.message).toBe('E-mail or password is wrong.');
  expect(refresh).not.toHaveBeenCalled();
});

it('sends the token that the last sign-in told', async () => {
  await get('/auth/me');
  let sent: string | null = null;
  server.use(
    http.post(`${API}/auth/logout`, ({ request }) => {
      sent = request.headers.get('x-csrf-token');
      return new HttpResponse(null, { status: 204 });
    }),
  );
  await post('/auth/logout');
  expect(sent).toBe('mock-csrf');
});

it('keeps what a refusal says about fields and legal moves', async () => {
  server.use(
    http.get(`${API}/projects`, () =>
      HttpResponse.json(
        {
          type: 'about:blank',
          title: 'Conflict',
          status: 409,
          detail: 'it is resolved',
          request_id: 'r1',
          legal: ['learned'],
          errors: [{ field: 'state', message: 'not legal' }],
        },
        { status: 409 },
      ),
    ),
  );
  const error = await failure(get('/projects'));
  expect(error.message).toBe('It is resolved.');
  expect(error.legal).toEqual(['learned']);
  expect(error.fields).toEqual([{ field: 'state', message: 'not legal' }]);
});

it.each([
  [500, 'The server failed.'],
  [503, 'The server is busy. Try again in a moment.'],
  [404, 'This does not exist, or it is not yours.'],
])('explains a bare %d in a sentence', async (status, sentence) => {
  server.use(http.get(`${API}/projects`, () => new HttpResponse('<html>', { status })));
  expect(sentenceOf(await failure(get('/projects')))).toBe(sentence);
});

it('explains that nobody answered', async () => {
  server.use(http.get(`${API}/projects`, () => HttpResponse.error()));
  const error = await failure(get('/projects'));
  expect(error).toBeInstanceOf(ApiError);
  expect(error.message).toBe('The server can’t be reached.');
});

it('says that nothing was sent when the browser is offline', async () => {
  vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);
  server.use(http.post(`${API}/incidents`, () => HttpResponse.error()));
  const error = await failure(post('/incidents', {}));
  expect(sentenceOf(error)).toBe('You are offline; nothing was sent.');
});

it('gives up a request that hangs, and does not claim to know what became of it', async () => {
  vi.useFakeTimers();
  server.use(http.post(`${API}/incidents`, () => new Promise<never>(() => {})));
  const failed = failure(post('/incidents', {}));
  await vi.advanceTimersByTimeAsync(PATIENCE_MS);
  vi.useRealTimers();
  expect(sentenceOf(await failed)).toMatch(/No answer after 15 seconds. It may or may not have/);
});

it('gives up a read that hangs without a word about what it did', async () => {
  vi.useFakeTimers();
  server.use(http.get(`${API}/projects`, () => new Promise<never>(() => {})));
  const failed = failure(get('/projects'));
  await vi.advanceTimersByTimeAsync(PATIENCE_MS);
  vi.useRealTimers();
  expect(sentenceOf(await failed)).toBe('No answer after 15 seconds.');
});

const tooMany = (seconds: number) =>
  HttpResponse.json(
    { status: 429, detail: 'too many requests' },
    {
      status: 429,
      headers: { 'retry-after': String(seconds) },
    },
  );

it('sends a write again after the wait that the server asked for, and says that it waits', async () => {
  vi.useFakeTimers();
  const answers = [tooMany(12), HttpResponse.json({ id: 'a' })];
  const asked = vi.fn(() => answers.shift() ?? HttpResponse.error());
  server.use(http.patch(`${API}/incidents/a/state`, asked));
  const sent = patch('/incidents/a/state', { state: 'acknowledged' });
  await vi.waitFor(() => expect(writesWaitUntil()).not.toBeNull());
  await vi.advanceTimersByTimeAsync(11_000);
  expect(asked).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1000);
  vi.useRealTimers();
  expect(await sent).toEqual({ id: 'a' });
  expect(writesWaitUntil()).toBeNull();
});

it('does not wait with a write when whoever wanted it has gone', async () => {
  server.use(http.patch(`${API}/incidents/a`, () => tooMany(30)));
  const gone = new AbortController();
  const failed = failure(patch('/incidents/a', {}, { signal: gone.signal }));
  await vi.waitFor(() => expect(writesWaitUntil()).not.toBeNull());
  gone.abort();
  expect((await failed).name).toBe('AbortError');
  expect(writesWaitUntil()).toBeNull();
});

it('keeps how long a refused read is to wait, and sends no password twice', async () => {
  const login = vi.fn(() => tooMany(70));
  server.use(
    http.get(`${API}/projects`, () => tooMany(12)),
    http.post(`${API}/auth/login`, login),
  );
  expect(await failure(get('/projects'))).toMatchObject({ mayPass: true, retryAfter_ms: 12_000 });
  const until = limitedUntil();
  expect((await failure(post('/auth/login', {}))).status).toBe(429);
  expect(limitedUntil()).toBe(until);
  expect(login).toHaveBeenCalledTimes(1);
});

it('does not take a server that went away for the end of the session', async () => {
  const ended = vi.fn();
  whenSignedOut(ended);
  server.use(
    http.post(`${API}/auth/refresh`, () => HttpResponse.error()),
    http.get(`${API}/projects`, () => new HttpResponse(null, { status: 401 })),
  );
  expect((await failure(get('/projects'))).mayPass).toBe(true);
  expect(ended).not.toHaveBeenCalled();
  whenSignedOut(() => {});
});

it('stops reading when the reader has gone', async () => {
  server.use(http.get(`${API}/projects`, () => new Promise<never>(() => {})));
  const gone = new AbortController();
  const failed = failure(get('/projects', { signal: gone.signal }));
  gone.abort();
  expect((await failed).name).toBe('AbortError');
});
