/** What the filter text can go on with: only what the server can narrow by. */
import { MARKS, SEVERITIES, STATES } from '../../api/types';
import { quote } from '../../util/filterText';

const DAY_MS = 86_400_000;
const AGO = ['-1h', '-24h'];
const DAYS_BACK = [0, 1, 7, 30];
const IS = ['open', 'closed', 'unacked', 'still-firing', ...MARKS];

/** Whole texts, each with its last word completed; none for a word that is complete or is not a filter. */
export function completions(text: string, services: readonly string[], now: number): string[] {
  const [, before = '', word = ''] = /^(.*?)(\S*)$/s.exec(text) ?? [];
  const values: Record<string, readonly string[]> = {
    is: IS,
    severity: SEVERITIES,
    state: STATES,
    service: services.map(quote),
    owner: ['me', 'none'],
    from: [...AGO, ...DAYS_BACK.map((days) => new Date(now - days * DAY_MS).toISOString().slice(0, 10))],
  };
  const colon = word.indexOf(':');
  if (colon < 0)
    return [...Object.keys(values).map((key) => `${key}:`), 'to:', 'label.']
      .filter(begins(word))
      .map((key) => before + key);
  // A list goes on after its last comma.
  const from = Math.max(colon, word.lastIndexOf(',')) + 1;
  const rest = word.slice(from);
  return (values[word.slice(0, colon)] ?? [])
    .filter((value) => value !== rest && begins(rest)(value))
    .map((value) => before + word.slice(0, from) + value);
}

const begins = (start: string) => (one: string) => one.toLowerCase().startsWith(start.toLowerCase());
