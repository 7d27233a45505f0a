import { expect, it } from 'vitest';
import { paths, safeNext } from './paths';

it('has these addresses', () => {
  expect({
    incidents: paths.incidents(),
    filtered: paths.incidents('is:open severity:high'),
    incident: paths.incident(42),
    incidentById: paths.incidentById('019a'),
    analytics: paths.analytics(),
    integrations: paths.integrations(),
    integration: paths.integration('019a'),
    delivery: paths.delivery('019a'),
    notifications: paths.notifications(),
    channel: paths.channel('019a'),
    changes: paths.changes(),
    settings: paths.settings('keys'),
    login: paths.login('/incidents/INC-42'),
  }).toMatchInlineSnapshot(`
    {
      "analytics": "/analytics",
      "changes": "/changes",
      "channel": "/notifications/019a",
      "delivery": "/deliveries/019a",
      "filtered": "/incidents?q=is%3Aopen+severity%3Ahigh",
      "incident": "/incidents/INC-42",
      "incidentById": "/incidents/019a",
      "incidents": "/incidents",
      "integration": "/integrations/019a",
      "integrations": "/integrations",
      "login": "/login?next=%2Fincidents%2FINC-42",
      "notifications": "/notifications",
      "settings": "/settings/keys",
    }
  `);
});

it.each([
  ['/incidents/INC-1?tab=alerts', '/incidents/INC-1?tab=alerts'],
  [undefined, '/incidents'],
  ['https://evil.example/', '/incidents'],
  ['//evil.example/', '/incidents'],
  ['/\\evil.example/', '/incidents'],
  ['javascript:alert(1)', '/incidents'],
  ['/login?next=/x', '/incidents'],
])('after signing in, %s leads to %s', (next, path) => {
  expect(safeNext(next)).toBe(path);
});
