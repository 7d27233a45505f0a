/** Measured curves: flat, with noise, then a step at an instant. */
import type { Series } from '../../src/api/types';
import { random } from '../ids';

export function stepped(
  now: number,
  onset: number,
  before: number,
  after: number,
  labels: Record<string, string>,
  seed = 7,
): Series {
  const noise = random(seed);
  const points: Series['points'] = [];
  for (let at = onset - 3_600_000; at <= now; at += 30_000) {
    const grown = Math.min(1, Math.max(0, (at - onset) / 240_000));
    const level = before + (after - before) * grown;
    points.push([Math.round(at / 1000), Math.max(0, level * (0.92 + 0.16 * noise()))]);
  }
  return { labels, points };
}
