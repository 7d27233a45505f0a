/** The version of an analysis before the newest one, made before a deploy was reported. */
import type { Db } from '../db';
import { uuid } from '../ids';

/** Gives an analysed incident a first version, in which the second theory stood first and was called wrong. */
export function addEarlier(db: Db, incident: string): void {
  const newest = db.hypotheses.get(incident);
  const second = newest?.items[1];
  if (!newest?.analysis || !second) return;
  const first = { ...newest.analysis, id: uuid() };
  const at = new Date(Date.parse(first.completed_at ?? '') + 60_000).toISOString();
  const said = { verdict: 'rejected' as const, comment: null, by: 'Ana Lee', at };
  db.earlier.set(incident, [
    {
      analysis: first,
      items: [
        { ...second, id: uuid(), rank: 1, analysis_id: first.id, feedback: { ...said, from_version: null } },
      ],
    },
  ]);
  newest.analysis = {
    ...newest.analysis,
    version: 2,
    changed: ['a change was reported: checkout-api: deploy v2.41.0, 4 min before the alarm'],
  };
  second.feedback = { ...said, from_version: 1 };
}
