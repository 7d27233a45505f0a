import { expect, it } from 'vitest';
import type { Incident } from '../../api/types';
import { holdOrder, type ShownRow } from './order';

const one = (id: string, title = id) => ({ id, title }) as Incident;
const shown = (...ids: string[]): ShownRow[] => ids.map((id) => ({ incident: one(id), gone: false }));
const ids = (rows: readonly ShownRow[]) => rows.map((row) => row.incident.id + (row.gone ? '!' : ''));

it('keeps every row where it is and lets the new one wait', () => {
  const { rows, waiting } = holdOrder(shown('a', 'b', 'c'), [one('new'), one('b'), one('a'), one('c')]);
  expect(ids(rows)).toEqual(['a', 'b', 'c']);
  expect(waiting.map((incident) => incident.id)).toEqual(['new']);
});

it('shows what a row has become, in its place', () => {
  const { rows } = holdOrder(shown('a', 'b'), [one('b', 'changed'), one('a')]);
  expect(rows[1]?.incident.title).toBe('changed');
});

it('keeps the place of a row that no longer matches', () => {
  const { rows } = holdOrder(shown('a', 'b', 'c'), [one('a'), one('c')]);
  expect(ids(rows)).toEqual(['a', 'b!', 'c']);
});

it('appends the rows of the next page', () => {
  const { rows, waiting } = holdOrder(shown('a', 'b'), [one('a'), one('b'), one('c'), one('d')]);
  expect(ids(rows)).toEqual(['a', 'b', 'c', 'd']);
  expect(waiting).toEqual([]);
});
