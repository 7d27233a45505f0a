import { expect, it } from 'vitest';
import { completions } from './complete';

const NOW = Date.parse('2026-01-24T12:00:00Z');
const complete = (text: string) => completions(text, ['checkout-api', 'order e-mails'], NOW);

it.each([
  ['is:open se', ['is:open severity:', 'is:open service:']],
  ['severity:', ['severity:critical', 'severity:high', 'severity:medium', 'severity:low', 'severity:info']],
  ['severity:high,l', ['severity:high,low']],
  ['is:open service:', ['is:open service:checkout-api', 'is:open service:"order e-mails"']],
  [
    'from:',
    ['from:-1h', 'from:-24h', 'from:2026-01-24', 'from:2026-01-23', 'from:2026-01-17', 'from:2025-12-25'],
  ],
  ['is:open from:-', ['is:open from:-1h', 'is:open from:-24h']],
  ['is:open', []],
  ['owner:', ['owner:me', 'owner:none']],
  ['la', ['label.']],
  ['http://shop', []],
])('“%s” can go on', (text, expected) => {
  expect(complete(text)).toEqual(expected);
});
