import { QueryClient } from '@tanstack/react-query';
import { expect, it } from 'vitest';
import { markOld } from './refreshes';
import type { EventType, LiveEvent } from './types';

function event(type: EventType, data: LiveEvent['data']): LiveEvent {
  return { type, seq: 1, tenant_id: 't', project_id: 'p', timestamp: '', data };
}

function staleAfter(...events: LiveEvent[]): string[] {
  const client = new QueryClient();
  client.setQueryData(['incidents', {}], { pages: [] });
  client.setQueryData(['incident', 'INC-1'], { id: 'a' });
  client.setQueryData(['incident', 'INC-2'], { id: 'b' });
  client.setQueryData(['hypotheses', 'a'], {});
  client.setQueryData(['hypotheses', 'b'], {});
  client.setQueryData(['questions', 'a'], {});
  client.setQueryData(['questions', 'b'], {});
  client.setQueryData(['notifications', 'a'], {});
  client.setQueryData(['notifications', 'b'], {});
  client.setQueryData(['members', 'p'], { items: [] });
  markOld(client, events);
  return client
    .getQueryCache()
    .findAll()
    .filter((query) => query.state.isInvalidated)
    .map((query) => query.queryKey.slice(0, 2).join(' '));
}

it('looks again at the incident an event is about, whichever name it was opened by', () => {
  expect(staleAfter(event('hypothesis.generated', { incident_id: 'a' }))).toEqual([
    'incidents [object Object]',
    'incident INC-1',
    'hypotheses a',
    'questions a',
    'notifications a',
  ]);
});

it('asks who was told when an incident has changed', () => {
  const stale = staleAfter(event('incident.updated', { id: 'b' }));
  expect(stale).toContain('notifications b');
  expect(stale).not.toContain('notifications a');
});

it('asks again whether it can be asked about when an incident has changed', () => {
  expect(staleAfter(event('incident.updated', { id: 'b' }))).toContain('questions b');
});

it.each<EventType>(['alert.fired', 'alert.resolved'])(
  'counts again after %s, which a resolved incident may have',
  (type) => {
    const client = new QueryClient();
    client.setQueryData(['summary'], {});
    markOld(client, [event(type, { incident_id: 'a' })]);
    expect(client.getQueryState(['summary'])?.isInvalidated).toBe(true);
  },
);

it('leaves other incidents and unrelated reads alone', () => {
  const stale = staleAfter(event('incident.updated', { id: 'b' }));
  expect(stale).toContain('hypotheses b');
  expect(stale).not.toContain('incident INC-1');
  expect(stale).not.toContain('members p');
});

it('looks at all of them when an event does not say which', () => {
  expect(staleAfter(event('alert.fired', {}))).toEqual([
    'incidents [object Object]',
    'incident INC-1',
    'incident INC-2',
  ]);
});

it('is not upset by a kind of event it does not know', () => {
  expect(staleAfter(event('moon.risen' as EventType, { id: 'a' }))).toEqual([]);
});
