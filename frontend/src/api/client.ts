/** The only place that fetches: CSRF token, one silent refresh after a 401, problems turned into `ApiError`. */
import { ApiError, fromAnswer, offline, unanswered, unreachable } from './errors';
import { noteLimit, retryAfter, waitToWrite } from './limit';

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
type QueryValue = string | number | boolean | null | undefined;

/** What a request may carry besides its method and path. */
export type RequestOptions = {
  query?: Record<string, QueryValue | readonly string[]>;
  body?: unknown;
  signal?: AbortSignal;
  /** Makes repeating a creating POST harmless. */
  idempotencyKey?: string;
  /** The entity tag the change is based on. */
  ifMatch?: string;
};

const BASE = '/api/v1';
/** A request without an answer for this long is given up. */
export const PATIENCE_MS = 15_000;
let csrfToken: string | null = null;
let refreshing: Promise<boolean> | null = null;
let onSignedOut: () => void = () => {};
let onForbidden: () => void = () => {};

/** Says what happens when the session has ended for good. */
export function whenSignedOut(action: () => void): void {
  onSignedOut = action;
}

/** Says what happens when the server forbids something, so that the role on the screen may be an old one. */
export function whenForbidden(action: () => void): void {
  onForbidden = action;
}

/** A fresh key for one intent of the user; send it again with every retry of that intent. */
export function newIdempotencyKey(): string {
  return crypto.randomUUID();
}

/** Whether anybody is there at all, whatever they say. */
export function serverAnswers(): Promise<boolean> {
  return send('GET', '/auth/setup', {}, async ({ status }) => status < 502).catch(() => false);
}

/** Reads. */
export function get<T>(path: string, options: RequestOptions = {}): Promise<T> {
  return request<T>('GET', path, options);
}

/** Creates or acts. */
export function post<T>(path: string, body?: unknown, options: RequestOptions = {}): Promise<T> {
  return request<T>('POST', path, { ...options, body });
}

/** Changes. */
export function patch<T>(path: string, body: unknown, options: RequestOptions = {}): Promise<T> {
  return request<T>('PATCH', path, { ...options, body });
}

/** Removes. */
export function remove<T = void>(path: string): Promise<T> {
  return request<T>('DELETE', path, {});
}

/** Acts, and hands over every server-sent event of the answer as it comes (one `data` line of JSON each). */
export async function postEvents<T>(path: string, body: unknown, on: (event: T) => void): Promise<void> {
  const begin = () => sendPatiently('POST', path, { body }, async (response) => response);
  let response = await begin();
  if (response.status === 401 && (await refresh())) response = await begin();
  if (!response.ok || !response.body) throw refused(path, await read(response));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data:')) on(JSON.parse(line.slice(5)) as T);
  }
}

async function request<T>(method: Method, path: string, options: RequestOptions): Promise<T> {
  let answer = await sendPatiently(method, path, options, read);
  if (answer.status === 401 && mayRefresh(path)) {
    if (await refresh()) answer = await sendPatiently(method, path, options, read);
    if (answer.status === 401) onSignedOut();
  }
  if (!answer.ok) throw refused(path, answer);
  rememberCsrf(answer.body);
  return answer.body as T;
}

function refused(path: string, answer: Answer): ApiError {
  // What is asked again then is /auth/me, whose own refusal must not ask for it once more.
  if (answer.status === 403 && !path.startsWith('/auth/')) onForbidden();
  return fromAnswer(answer.status, answer.body, answer.retryAfter_ms);
}

/**
 * Sends a write again after the wait that a server with too many requests asked for: it did nothing, so nothing is
 * done twice. Reads fail at once, because a page can say so and ask again; a password is never sent again by itself.
 */
async function sendPatiently<T extends Pick<Answer, 'status'>>(
  method: Method,
  path: string,
  options: RequestOptions,
  take: (response: Response) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const answer = await send(method, path, options, take);
    const mayWait = answer.status === 429 && method !== 'GET' && mayRefresh(path);
    if (!mayWait || !(await waitToWrite(tries, options.signal))) return answer;
  }
}

function send<T>(
  method: Method,
  path: string,
  options: RequestOptions,
  take: (response: Response) => Promise<T>,
): Promise<T> {
  const headers = new Headers({ accept: 'application/json' });
  if (options.body !== undefined) headers.set('content-type', 'application/json');
  if (options.idempotencyKey) headers.set('idempotency-key', options.idempotencyKey);
  if (options.ifMatch) headers.set('if-match', options.ifMatch);
  if (method !== 'GET' && csrfToken) headers.set('x-csrf-token', csrfToken);
  const init: RequestInit = {
    method,
    headers,
    credentials: 'same-origin',
    body: options.body === undefined ? null : JSON.stringify(options.body),
  };
  // A write on its way is not called back: what became of it would not be known. Its wait to be sent can be.
  const cancelled = method === 'GET' ? options.signal : undefined;
  return patiently(method === 'GET', cancelled, async (signal) => {
    const response = await fetch(BASE + path + queryString(options.query), { ...init, signal });
    // The limit on guessing passwords is not the one on what somebody signed in may ask.
    return take(mayRefresh(path) ? noteLimit(response) : response);
  });
}

/** Waits for an answer, but not for ever; every way of getting none is an error that says which it was. */
async function patiently<T>(
  read: boolean,
  cancelled: AbortSignal | undefined,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  cancelled?.throwIfAborted();
  const sent = navigator.onLine;
  const own = new AbortController();
  const giveUp = () => own.abort();
  const timer = setTimeout(giveUp, PATIENCE_MS);
  cancelled?.addEventListener('abort', giveUp);
  try {
    return await ask(own.signal);
  } catch (error) {
    cancelled?.throwIfAborted();
    if (error instanceof ApiError) throw error;
    if (own.signal.aborted) throw unanswered(PATIENCE_MS, read);
    throw sent ? unreachable() : offline(read);
  } finally {
    clearTimeout(timer);
    cancelled?.removeEventListener('abort', giveUp);
  }
}

/** Sign-in itself answers 401 for a wrong password; that is no reason to refresh. */
function mayRefresh(path: string): boolean {
  return !/^\/auth\/(login|register|link|refresh|logout|setup|invitations\/accept)/.test(path);
}

/** Whether the session goes on; a server that does not answer has not ended it. */
function refresh(): Promise<boolean> {
  refreshing ??= send('POST', '/auth/refresh', {}, read)
    .then((answer) => {
      if (answer.status >= 500) throw fromAnswer(answer.status, answer.body);
      return answer.ok;
    })
    .finally(() => {
      refreshing = null;
    });
  return refreshing;
}

type Answer = { status: number; ok: boolean; body: unknown; retryAfter_ms: number | null };

async function read(response: Response): Promise<Answer> {
  const { status, ok } = response;
  return { status, ok, body: await bodyOf(response), retryAfter_ms: retryAfter(response) };
}

async function bodyOf(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined;
  const text = await response.text();
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    if (response.ok) throw new ApiError(response.status, 'The server sent an answer this page cannot read.');
    return undefined;
  }
}

function rememberCsrf(body: unknown): void {
  if (typeof body !== 'object' || body === null || !('csrf_token' in body)) return;
  if (typeof body.csrf_token === 'string') csrfToken = body.csrf_token;
}

function queryString(query: RequestOptions['query']): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === null || value === undefined || value === '') continue;
    if (typeof value === 'object') for (const one of value) params.append(name, one);
    else params.set(name, String(value));
  }
  const text = params.toString();
  return text ? `?${text}` : '';
}
