import { expect, it } from 'vitest';
import { refusal } from './refusal';

it('tells the code of a refusal from what the sender was told', () => {
  const told = 'not a body of alertmanager: its member `alerts` is missing';
  expect(refusal(`malformed-request: ${told}`)).toEqual({ code: 'malformed request', told });
  expect(refusal('token-revoked')).toEqual({ code: 'token revoked', told: '' });
});
