/**
 * The one grammar of the incident filter: `is:open severity:critical,high service:checkout-api owner:me
 * label.team=shop words`.
 *
 * The text box, the chips and the URL are three views of the same string.
 */
import { MARKS, type Mark, SEVERITIES, type Severity, STATES, type State } from '../../api/types';
import { labelFilter, quote } from '../../util/filterText';
import { isTime } from './when';

/** A filter, taken apart. */
export type Filter = {
  open: boolean | null;
  /** Only those with all of these marks. */
  marks: Mark[];
  /** Only those with an alert that fires now. */
  stillFiring: boolean;
  states: State[];
  severities: Severity[];
  services: string[];
  /** `me`, `none` or an e-mail address. */
  owner: string | null;
  labels: Record<string, string>;
  /** Detected at or after, and before: RFC 3339, a day in UTC, or so long ago as in `-2h`. */
  from: string | null;
  to: string | null;
  words: string;
  /** What in the text means nothing, in words for a person. */
  problems: string[];
  /** What in the text is read as something else, in words for a person. */
  notes: string[];
};

/** What the list shows when the URL says nothing. */
export const DEFAULT_FILTER = 'is:open';

const KEYS: ReadonlySet<string> = new Set(['is', 'severity', 'state', 'service', 'owner', 'from', 'to']);

/** What senders write in the label `severity`, as the server maps it. */
const SEVERITY_ALIASES: Record<string, Severity> = {
  page: 'critical',
  emergency: 'critical',
  fatal: 'critical',
  error: 'high',
  major: 'high',
  warning: 'medium',
  warn: 'medium',
  minor: 'low',
  notice: 'info',
};

const STATE_ALIASES: Record<string, State> = {
  unacked: 'detected',
  unacknowledged: 'detected',
  acked: 'acknowledged',
};

const LABEL = /^labels?[.:]([^=!~\s"]+)(=~|!=|!~|=)(.*)$/i;

const NEGATED = /^[-!](?:(?:is|severity|state|service|owner|from|to):|labels?[.:])/i;

/** Reads a filter text. Never throws: what it cannot read is reported in `problems`. */
export function parseFilter(text: string): Filter {
  const filter: Filter = {
    open: null,
    marks: [],
    stillFiring: false,
    states: [],
    severities: [],
    services: [],
    owner: null,
    labels: {},
    from: null,
    to: null,
    words: '',
    problems: [],
    notes: [],
  };
  const words: string[] = [];
  for (const token of tokens(text)) {
    const refused = refusal(token);
    if (refused) {
      filter.problems.push(refused);
      continue;
    }
    const [, name, how, value] = LABEL.exec(token) ?? [];
    if (name && how) {
      takeLabel(filter, name, how, unquote(value ?? ''));
      continue;
    }
    const colon = token.indexOf(':');
    if (colon <= 0 || token.startsWith('"')) words.push(token);
    else take(filter, words, token.slice(0, colon).toLowerCase(), token.slice(colon + 1), token);
  }
  filter.words = words.join(' ');
  return filter;
}

/** Why a token of other query languages does not do here what it does there. */
function refusal(token: string): string | null {
  if (token === 'AND') return 'AND is not needed: everything in the filter has to match.';
  if (token === 'OR') return 'OR can’t be asked for. Separate values with commas: severity:critical,high.';
  if (token === 'NOT' || NEGATED.test(token))
    return `“${token}” can’t be asked for: nothing can be left out. Name what you want to see, as in severity:critical,high.`;
  return null;
}

function take(filter: Filter, words: string[], key: string, value: string, token: string): void {
  const values = value
    .split(',')
    .map(unquote)
    .filter((one) => one !== '');
  if (values.length === 0) {
    if (!KEYS.has(key)) words.push(token);
    return;
  }
  if (key === 'is') for (const one of values) takeIs(filter, one.toLowerCase());
  else if (key === 'severity')
    takeClosed(filter, filter.severities, SEVERITIES, values, 'severity', SEVERITY_ALIASES);
  else if (key === 'state') takeClosed(filter, filter.states, STATES, values, 'state', STATE_ALIASES);
  else if (key === 'service') filter.services.push(...values.filter((one) => !filter.services.includes(one)));
  else if (key === 'owner') takeOwner(filter, unquote(value).toLowerCase());
  else if (key === 'from' || key === 'to') takeInstant(filter, key, unquote(value));
  else if (/^[a-z]+$/.test(key) && !token.includes('://'))
    filter.problems.push(
      `“${key}:” is not a filter. Use is:, severity:, state:, service:, owner:, label.NAME=, from: or to:.`,
    );
  else words.push(token);
}

function takeIs(filter: Filter, value: string): void {
  if (value === 'open') filter.open = true;
  else if (value === 'closed') filter.open = false;
  else if (value === 'all') filter.open = null;
  else if (value === 'still-firing') [filter.open, filter.stillFiring] = [false, true];
  else {
    const state = STATE_ALIASES[value] ?? STATES.find((one) => one === value);
    const mark = MARKS.find((one) => one === value);
    if (state) filter.states.push(state);
    else if (mark) filter.marks = MARKS.filter((one) => one === mark || filter.marks.includes(one));
    else
      filter.problems.push(
        `“is:${value}” means nothing. Use is:open, is:closed, is:unacked, is:still-firing, is:flapping, is:stale or is:snoozed.`,
      );
  }
}

function takeOwner(filter: Filter, value: string): void {
  if (value === 'me' || value === 'none' || /.@./.test(value)) filter.owner = value;
  else filter.problems.push(`“${value}” is nobody. Use owner:me, owner:none or an e-mail address.`);
}

function takeLabel(filter: Filter, name: string, how: string, value: string): void {
  if (how !== '=') filter.problems.push(`“${how}” can't be asked for. Use label.${name}=VALUE.`);
  else if (value !== '') filter.labels[name] = value;
}

function takeInstant(filter: Filter, key: 'from' | 'to', value: string): void {
  if (!isTime(value))
    filter.problems.push(`“${value}” is no time. Use -30m, -2h, -7d, 2026-01-24 or 2026-01-24T12:00:00Z.`);
  else filter[key] = value;
}

function takeClosed<T extends string>(
  filter: Filter,
  into: T[],
  known: readonly T[],
  values: string[],
  key: string,
  aliases: Record<string, T>,
): void {
  for (const value of values) {
    const lower = value.toLowerCase();
    const alias = aliases[lower];
    if (alias) filter.notes.push(`“${value}” is read as ${key}:${alias}.`);
    const found = alias ?? known.find((one) => one === lower);
    if (!found) filter.problems.push(`“${value}” is no ${key} and left out. Known: ${known.join(', ')}.`);
    else if (!into.includes(found)) into.push(found);
  }
}

/** Writes a filter back as text, in one canonical order. */
export function formatFilter(filter: Omit<Filter, 'problems' | 'notes'>): string {
  const out: string[] = [];
  if (filter.stillFiring) out.push('is:still-firing');
  else if (filter.open !== null) out.push(filter.open ? 'is:open' : 'is:closed');
  for (const mark of filter.marks) out.push(`is:${mark}`);
  if (filter.states.length > 0) out.push(`state:${filter.states.join(',')}`);
  if (filter.severities.length > 0) out.push(`severity:${filter.severities.join(',')}`);
  if (filter.services.length > 0) out.push(`service:${filter.services.map(quote).join(',')}`);
  if (filter.owner) out.push(`owner:${filter.owner}`);
  for (const [name, value] of Object.entries(filter.labels)) out.push(labelFilter(name, value));
  if (filter.from) out.push(`from:${filter.from}`);
  if (filter.to) out.push(`to:${filter.to}`);
  if (filter.words) out.push(filter.words);
  return out.join(' ');
}

/** The text with one severity switched on or off. */
export function toggleSeverity(text: string, severity: Severity): string {
  const filter = parseFilter(text);
  return formatFilter({ ...filter, severities: toggled(filter.severities, severity) });
}

/** The text with one state switched on or off. */
export function toggleState(text: string, state: State): string {
  const filter = parseFilter(text);
  return formatFilter({ ...filter, states: toggled(filter.states, state) });
}

/** The text with only one's own incidents, or everybody's. */
export function toggleMine(text: string): string {
  const filter = parseFilter(text);
  return formatFilter({ ...filter, owner: filter.owner === 'me' ? null : 'me' });
}

/** The text with `is:open`, `is:closed` or neither. */
export function withOpen(text: string, open: boolean | null): string {
  return formatFilter({ ...parseFilter(text), open });
}

function toggled<T>(list: readonly T[], one: T): T[] {
  return list.includes(one) ? list.filter((other) => other !== one) : [...list, one];
}

function tokens(text: string): string[] {
  return text.match(/(?:[^\s"]+|"[^"]*"?)+/g) ?? [];
}

function unquote(value: string): string {
  return value.replaceAll('"', '').trim();
}
