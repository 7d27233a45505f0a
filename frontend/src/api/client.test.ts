import { HttpResponse, http } from 'msw';
import { expect, it, vi } from 'vitest';
import { server } from '../../mock/testing';
import { get, PATIENCE_MS, post, whenSignedOut } from './client';
import { ApiError, sentenceOf } from './errors';

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
