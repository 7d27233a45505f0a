import { expect, it } from 'vitest';
import { formatFilter, parseFilter, toggleMine, toggleSeverity, toggleState, withOpen } from './filter';
import { queryOf } from './query';

it.each([
  ['is:open', { sort: 'needs_me', open: true }],
  ['', { sort: '-detected_at' }],
  ['is:closed', { sort: '-detected_at', open: false }],
  ['is:open is:unacked', { sort: 'needs_me', open: true, state: ['detected'] }],
  ['is:still-firing', { sort: '-detected_at', open: false, still_firing: true }],
  ['is:open is:snoozed slow', { sort: 'needs_me', open: true, is: ['snoozed'], q: 'slow' }],
  ['is:snoozed,stale is:STALE', { sort: '-detected_at', is: ['stale', 'snoozed'] }],
  ['severity:critical,HIGH', { sort: '-detected_at', severity: ['critical', 'high'] }],
  ['severity:warning,page', { sort: '-detected_at', severity: ['medium', 'critical'] }],
  ['state:acked', { sort: '-detected_at', state: ['acknowledged'] }],
  ['service:checkout-api slow', { sort: '-detected_at', service_name: ['checkout-api'], q: 'slow' }],
  ['service:"order e-mails"', { sort: '-detected_at', service_name: ['order e-mails'] }],
  ['checkout-api: failing', { sort: '-detected_at', q: 'checkout-api: failing' }],
  ['http://shop.example/x', { sort: '-detected_at', q: 'http://shop.example/x' }],
  ['owner:me', { sort: '-detected_at', assigned_to: 'me' }],
  ['owner:Ada@shop.example', { sort: '-detected_at', assigned_to: 'ada@shop.example' }],
  [
    'label.team=shop label.url=http://x:1 Label:note="a b"',
    { sort: '-detected_at', label: ['team=shop', 'url=http://x:1', 'note=a b'] },
  ],
  [
    'from:2026-01-24 to:2026-01-25T12:00:00Z',
    { sort: '-detected_at', from: '2026-01-24T00:00:00.000Z', to: '2026-01-25T12:00:00.000Z' },
  ],
])('“%s” asks the server for the right thing', (text, query) => {
  expect(queryOf(text)).toEqual(query);
});

it.each([
  ['severity:awful', 'awful'],
  ['state:gone', 'gone'],
  ['is:nice', 'is:nice'],
  ['colour:red', 'colour:'],
  ['from:yesterday', 'yesterday'],
  ['owner:ada', 'ada'],
  ['label.team=~"sh.*"', '=~'],
  ['-severity:low', '-severity:low'],
  ['-label.team=shop', '-label.team=shop'],
  ['severity:high OR slow', 'commas'],
  ['slow AND late', 'AND'],
  ['NOT slow', 'NOT'],
  ['from:-30x', '-30x'],
])('“%s” is explained, not ignored', (text, named) => {
  const { problems } = parseFilter(text);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(named);
});

it.each([
  ['-30m', '2026-01-24T11:30:00.000Z'],
  ['-2h', '2026-01-24T10:00:00.000Z'],
])('“from:%s” counts back from now, and is the same list within a minute', (ago, from) => {
  const at = (time: string) => queryOf(`from:${ago}`, Date.parse(`2026-01-24T${time}Z`));
  expect(at('12:00:00')).toEqual({ sort: '-detected_at', from });
  expect(at('12:00:59')).toEqual(at('12:00:00'));
  expect(at('12:01:00')).not.toEqual(at('12:00:00'));
});

it('never asks for less than the seven days it says', () => {
  const { from } = queryOf('from:-7d', Date.parse('2026-01-24T12:00:00Z'));
  const days = (Date.parse('2026-01-24T12:00:00Z') - Date.parse(from ?? '')) / 86_400_000;
  expect(days).toBeGreaterThanOrEqual(7);
  expect(days).toBeLessThan(7.03);
});

it('keeps words that only look like operators', () => {
  expect(queryOf('and or not -v').q).toBe('and or not -v');
});

it('says how it reads a word that senders use', () => {
  expect(parseFilter('severity:warning')).toMatchObject({
    problems: [],
    notes: ['“warning” is read as severity:medium.'],
  });
});

it.each([
  'is:open state:detected severity:critical,high service:checkout-api slow orders',
  'is:still-firing',
  'is:open is:flapping is:snoozed state:detected',
  'is:open owner:none label.team=shop label.note="a b" slow',
  'is:closed from:2026-01-24 to:2026-01-25',
  'is:open from:-2h to:-30m',
  'service:"order e-mails"',
  '"exact words" more',
])('“%s” survives being read and written', (text) => {
  expect(formatFilter(parseFilter(text))).toBe(text);
});

it('toggles are their own inverse', () => {
  const text = 'is:open service:cart';
  expect(toggleSeverity(toggleSeverity(text, 'high'), 'high')).toBe(text);
  expect(toggleState(toggleState(text, 'detected'), 'detected')).toBe(text);
  expect(toggleMine(toggleMine(text))).toBe(text);
  expect(withOpen(withOpen(text, null), true)).toBe(text);
});

it('an unfinished filter is no problem while it is typed', () => {
  expect(parseFilter('severity:').problems).toEqual([]);
  expect(queryOf('severity:')).toEqual({ sort: '-detected_at' });
});
