import { expect, it } from 'vitest';
import { channelOf } from '../../../mock/seed/channels';
import {
  changeOf,
  formOf,
  keyProblem,
  NEW_FORM,
  newChannel,
  servicesIn,
  tellsProblem,
  urlProblem,
} from './form';

const slack = channelOf({ kind: 'slack', name: '#ops', address: 'hooks.slack.com …x7Qa' });

it('makes a channel of what was typed, and names it by its kind when nobody did', () => {
  const typed = {
    ...NEW_FORM,
    url: ' https://hooks.slack.com/services/T/B/x ',
    services: 'cart, cart,\n search',
  };
  expect(newChannel(typed)).toEqual({
    kind: 'slack',
    name: 'Slack',
    url: 'https://hooks.slack.com/services/T/B/x',
    min_severity: 'medium',
    services: ['cart', 'search'],
    tells: ['opened', 'cause', 'escalated', 'reopened', 'resolved'],
    critical_faults: true,
  });
});

it('sends a key only to PagerDuty', () => {
  const key = 'a'.repeat(32);
  expect(newChannel({ ...NEW_FORM, kind: 'pagerduty', routing_key: key })).toMatchObject({
    routing_key: key,
  });
  expect(newChannel({ ...NEW_FORM, routing_key: key })).not.toHaveProperty('routing_key');
});

it('sends of a change only what differs', () => {
  expect(changeOf(formOf(slack), slack)).toEqual({});
  expect(changeOf({ ...formOf(slack), name: ' #sre ', tells: ['resolved', 'opened'] }, slack)).toEqual({
    name: '#sre',
    tells: ['opened', 'resolved'],
  });
  expect(changeOf({ ...formOf(slack), url: 'https://x.example', services: 'cart' }, slack)).toEqual({
    url: 'https://x.example',
    services: ['cart'],
  });
});

it.each([
  [urlProblem('', false), undefined],
  [urlProblem('', true), 'An address is needed.'],
  [urlProblem('ftp://x', true), 'Use an http or https address.'],
  [urlProblem(' https://x.example/a ', true), undefined],
  [keyProblem('', true), 'The key is needed.'],
  [keyProblem('', false), undefined],
  [keyProblem('short', false), 'The key has 32 letters and digits.'],
  [keyProblem('R0123456789abcdef0123456789abcde', true), undefined],
  [tellsProblem([], false), 'Choose at least one, or turn the channel off.'],
  [tellsProblem([], true), undefined],
  [servicesIn(' , \n'), []],
])('finds what is wrong (%#)', (found, expected) => {
  expect(found).toEqual(expected);
});
