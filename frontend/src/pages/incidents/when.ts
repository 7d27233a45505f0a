/** Times in the filter: a day, an instant, or so long ago, such as `-30m`, `-2h`, `-7d`. */

const UNIT_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };
const AGO = /^-(\d{1,4})([mhdw])$/;

/** Whether the text is a time that the filter knows. */
export function isTime(text: string): boolean {
  return AGO.test(text) || !Number.isNaN(Date.parse(text));
}

/**
 * The instant that the text means at `now`, RFC 3339.
 *
 * So long ago is counted in steps, so that the list asked for stays the same one for a while: a minute for
 * an hour back, and a three-hundredth of anything longer than five hours.
 */
export function instantOf(text: string, now: number): string {
  const [, amount = '', unit = ''] = AGO.exec(text) ?? [];
  if (!unit) return new Date(text).toISOString();
  const span = Number(amount) * (UNIT_MS[unit] ?? 0);
  const step = Math.max(60_000, span / 300);
  return new Date(Math.floor((now - span) / step) * step).toISOString();
}
