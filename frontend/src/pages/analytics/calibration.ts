/** A span of confidence in words. */
import type { CalibrationBin } from '../../api/types';
import { confidenceWord } from '../../util/confidence';
import { percent } from '../../util/numbers';

/** `High, 70% to 100%`; without the word where the span holds more than one. */
export function confidenceRange({ from, to }: Pick<CalibrationBin, 'from' | 'to'>): string {
  const word = confidenceWord(from);
  const span = `${percent(from)} to ${percent(to)}`;
  return word === confidenceWord(Math.max(from, to - 0.001)) ? `${word}, ${span}` : span;
}
