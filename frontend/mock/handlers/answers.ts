/** Answers in the form of the contract. */
import { HttpResponse, type JsonBodyType } from 'msw';
import type { FieldError, Page, Problem, State } from '../../src/api/types';
import { db } from '../db';
import { uuid } from '../ids';

export const API = '*/api/v1';

export function json(body: JsonBodyType, status = 200): HttpResponse<JsonBodyType> {
  return HttpResponse.json(body, { status });
}

export function nothing(): HttpResponse<null> {
  return new HttpResponse(null, { status: 204 });
}

export function problem(
  status: number,
  detail: string,
  more: { errors?: FieldError[]; legal?: State[] } = {},
): HttpResponse<JsonBodyType> {
  const body: Problem = { type: 'about:blank', title: detail, status, detail, request_id: uuid(), ...more };
  return HttpResponse.json(body, { status, headers: { 'content-type': 'application/problem+json' } });
}

/** One page of a list, with the offset as its cursor. */
export function paged<T>(items: readonly T[], request: Request): HttpResponse<JsonBodyType> {
  const params = new URL(request.url).searchParams;
  const limit = Math.min(200, Number(params.get('limit') ?? 50));
  const start = Number(params.get('cursor') ?? 0);
  const next = start + limit;
  const page: Page<T> = {
    items: items.slice(start, next),
    next_cursor: next < items.length ? String(next) : null,
  };
  return HttpResponse.json(page as JsonBodyType);
}

/** Refuses whoever is not signed in. */
export function signedOut(): HttpResponse<JsonBodyType> | undefined {
  return db.signedIn ? undefined : problem(401, 'You are signed out.');
}

/** The body of a request, trusted to be an object. */
export async function bodyOf<T>(request: Request): Promise<T> {
  return (await request.json().catch(() => ({}))) as T;
}
