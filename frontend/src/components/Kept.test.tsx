import { act, renderHook, screen } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { expect, it } from 'vitest';
import { db } from '../../mock/db';
import { renderApp } from '../../mock/renderApp';
import { server } from '../../mock/testing';
import { useKept } from './Kept';

const first = (list: readonly { id: string }[]) => list[0]?.id ?? '';

it.each([
  ['changePages', () => '/changes', 'deploy v2.41.0 by ana'],
  ['integrations', () => '/integrations', 'Latest deliveries'],
  ['integration', () => `/integrations/${first(db.integrations)}`, 'What arrives'],
  ['delivery', () => `/deliveries/${first(db.deliveries)}`, 'Received'],
  ['incidentAnalytics', () => '/analytics', 'Opened by day and severity'],
  ['aiAnalytics', () => '/analytics', 'Model use by day'],
  ['audit', () => '/settings/audit', 'member.added'],
  ['members', () => '/settings/members', 'Jun Tanaka'],
])('keeps %s on the screen when reading it again fails', async (endpoint, path, shown) => {
  const { client } = renderApp(path());
  await screen.findAllByText(shown);
  server.use(http.get('*/api/v1/*', () => new HttpResponse(null, { status: 503 })));
  await act(() => client.refetchQueries({ queryKey: [endpoint] }));
  expect(await screen.findByText(/This was read/)).toBeTruthy();
  expect(screen.getAllByText(shown).length).toBeGreaterThan(0);
  expect(screen.queryByRole('alert')).toBeNull();
});

it('keeps an answer while its key moves with the clock, and none to another question', () => {
  const read = (data: string | undefined) => ({
    data,
    dataUpdatedAt: data ? 7 : 0,
    error: null,
    isPlaceholderData: false,
  });
  const { result, rerender } = renderHook(({ query, about }) => useKept(query, about), {
    initialProps: { query: read('of 14 days'), about: '14' },
  });
  rerender({ query: read(undefined), about: '14' });
  expect(result.current).toMatchObject({ data: 'of 14 days', readAt: 7 });
  rerender({ query: read(undefined), about: '30' });
  expect(result.current.data).toBeUndefined();
});
