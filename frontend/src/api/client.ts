/** The only place that fetches: CSRF token, one silent refresh after a 401, problems turned into `ApiError`. */
import { ApiError, fromAnswer, unreachable } from './errors';

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
let csrfToken: string | null = null;
let refreshing: Promise<boolean> | null = null;
let onSignedOut: () => void = () => {};

/** Says what happens when the session has ended for good. */
export function whenSignedOut(action: () => void): void {
  onSignedOut = action;
}

/** A fresh key for one intent of the user; send it again with every retry of that intent. */
export function newIdempotencyKey(): string {
  return crypto.randomUUID();
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
export function remove(path: string): Promise<void> {
  return request<void>('DELETE', path, {});
}

/** Acts, and hands over every server-sent event of the answer as it comes (one `data` line of JSON each). */
export async function postEvents<T>(path: string, body: unknown, on: (event: T) => void): Promise<void> {
  const options = { body };
  let response = await send('POST', path, options);
  if (response.status === 401 && (await refresh())) response = await send('POST', path, options);
  if (!response.ok || !response.body) throw fromAnswer(response.status, await bodyOf(response));
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
  let response = await send(method, path, options);
  if (response.status === 401 && mayRefresh(path)) {
    if (await refresh()) response = await send(method, path, options);
    if (response.status === 401) onSignedOut();
  }
  const body = await bodyOf(response);
  if (!response.ok) throw fromAnswer(response.status, body);
  rememberCsrf(body);
  return body as T;
}

async function send(method: Method, path: string, options: RequestOptions): Promise<Response> {
  const headers = new Headers({ accept: 'application/json' });
  if (options.body !== undefined) headers.set('content-type', 'application/json');
  if (options.idempotencyKey) headers.set('idempotency-key', options.idempotencyKey);
  if (options.ifMatch) headers.set('if-match', options.ifMatch);
  if (method !== 'GET' && csrfToken) headers.set('x-csrf-token', csrfToken);
  try {
    return await fetch(BASE + path + queryString(options.query), {
      method,
      headers,
      credentials: 'same-origin',
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ?? null,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw unreachable();
  }
}

/** Sign-in itself answers 401 for a wrong password; that is no reason to refresh. */
function mayRefresh(path: string): boolean {
  return !/^\/auth\/(login|register|link|refresh|logout|setup|invitations\/accept)/.test(path);
}

function refresh(): Promise<boolean> {
  refreshing ??= send('POST', '/auth/refresh', {})
    .then((answer) => answer.ok)
    .catch(() => false)
    .finally(() => {
      refreshing = null;
    });
  return refreshing;
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
