/** A month of analyses: what they used, cost, and how often they were right. */
import type { Db } from '../db';
import { random } from '../ids';

export function usage(now: number): Db['ai'] {
  const roll = random(9);
  const days = Array.from({ length: 14 }, (_, index) => {
    const requests = Math.round(roll() * 14);
    return {
      day: new Date(now - (13 - index) * 86_400_000).toISOString().slice(0, 10),
      model: 'gpt-4o-mini',
      requests,
      prompt_tokens: requests * 3100,
      completion_tokens: requests * 420,
      cost_usd: requests * 0.0041,
    };
  });
  const sum = (pick: (day: (typeof days)[number]) => number) => days.reduce((all, day) => all + pick(day), 0);
  return {
    model: 'gpt-4o-mini',
    days,
    totals: {
      requests: sum((day) => day.requests),
      prompt_tokens: sum((day) => day.prompt_tokens),
      completion_tokens: sum((day) => day.completion_tokens),
      cost_usd: sum((day) => day.cost_usd),
      cache_hits: 31,
      orphaned: 1,
      failed: 2,
    },
    budget: { daily_usd: 5, used_today_usd: 0.034 },
    calibration: [
      { from: 0, to: 0.4, count: 12, accepted: 2 },
      { from: 0.4, to: 0.7, count: 18, accepted: 10 },
      { from: 0.7, to: 1, count: 17, accepted: 14 },
    ],
  };
}
