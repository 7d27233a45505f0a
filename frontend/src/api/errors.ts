/** One kind of failed request, and one sentence about it for a person. */
import type { FieldError, Problem, State } from './types';

/** A request the server refused, or that never reached it (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly requestId: string | null;
  readonly fields: FieldError[];
  readonly legal: State[];
  /** The server took the request and left it without an answer. */
  readonly hung: boolean = false;
  /** How long the server asked to be left alone, in milliseconds. */
  readonly retryAfter_ms: number | null = null;

  constructor(status: number, sentence: string, problem?: Partial<Problem>) {
    super(sentence);
    this.name = 'ApiError';
    this.status = status;
    this.requestId = problem?.request_id ?? null;
    this.fields = problem?.errors ?? [];
    this.legal = problem?.legal ?? [];
  }

  /** Whether it is worth asking again later: nobody answered, or somebody who could not, or would not, now. */
  get mayPass(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }

  /** Whether the server will not have this of this person, so that asking again is in vain. */
  get forbidden(): boolean {
    return this.status === 403;
  }
}

const BY_STATUS: Record<number, string> = {
  400: 'The request was not understood.',
  401: 'You are signed out.',
  403: 'Your role does not allow this.',
  404: 'This does not exist, or it is not yours.',
  409: 'Someone else changed this first.',
  412: 'This changed while you were editing it. Reload and try again.',
  413: 'That is too large.',
  429: 'Too many requests. Wait a moment and try again.',
  503: 'The server is busy. Try again in a moment.',
};

/** Turns an answer that is not 2xx into the error the pages show. */
export function fromAnswer(status: number, body: unknown, retryAfter_ms: number | null = null): ApiError {
  const problem = isProblem(body) ? body : undefined;
  const own = problem?.detail || problem?.title;
  const fallback = BY_STATUS[status] ?? (status >= 500 ? 'The server failed.' : 'The request was refused.');
  const reference = status >= 500 && problem?.request_id ? ` Reference ${problem.request_id}.` : '';
  const error = new ApiError(status, sentence(own ?? fallback) + reference, problem);
  return Object.assign(error, { retryAfter_ms });
}

/** The error for a request that got no answer at all. */
export function unreachable(): ApiError {
  return new ApiError(0, 'The server can’t be reached.');
}

/** The error for a request that this browser could not even send. */
export function offline(read: boolean): ApiError {
  return new ApiError(0, read ? 'You are offline.' : 'You are offline; nothing was sent.');
}

/** The error for a request that was sent and never answered; only a write leaves open what it did. */
export function unanswered(waited_ms: number, read: boolean): ApiError {
  const seconds = Math.round(waited_ms / 1000);
  const doubt = read ? '' : ' It may or may not have reached the server.';
  const error = new ApiError(0, `No answer after ${seconds} seconds.${doubt}`);
  return Object.assign(error, { hung: true });
}

/** What to show for anything that was thrown. */
export function sentenceOf(error: unknown): string {
  return error instanceof ApiError ? error.message : 'Something went wrong in this page.';
}

/** The message of the server about one field of a form, as a sentence. */
export function fieldError(error: unknown, field: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const found = error.fields.find((one) => one.field === field);
  return found && sentence(found.message);
}

/** What a form says of an error; nothing when it stands at one of these fields already. */
export function formError(error: unknown, fields: readonly string[]): string | undefined {
  if (!error || fields.some((field) => fieldError(error, field))) return undefined;
  return sentenceOf(error);
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'status' in body;
}

function sentence(text: string): string {
  const trimmed = text.trim();
  const first = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
