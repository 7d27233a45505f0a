/** For how long an incident is put off. */

/** Before this hour of the night “tomorrow” would be the day after the coming morning. */
const DAWN = 6;
const MORNING = 9;

export const PAUSES: readonly { minutes: number; label: string }[] = [
  { minutes: 15, label: 'For 15 minutes' },
  { minutes: 60, label: 'For 1 hour' },
  { minutes: 240, label: 'For 4 hours' },
];

/** Nine in the coming morning by this browser's clock, in milliseconds, and what it is called at `now`. */
export function morning(now: number): { at: number; label: string } {
  const at = new Date(now);
  const atNight = at.getHours() < DAWN;
  if (!atNight) at.setDate(at.getDate() + 1);
  at.setHours(MORNING, 0, 0, 0);
  return { at: at.getTime(), label: atNight ? 'Until 9:00 this morning' : 'Until 9:00 tomorrow' };
}
