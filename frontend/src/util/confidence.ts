/** A confidence score as the word people act on. */

export type ConfidenceWord = 'High' | 'Medium' | 'Low';

export const HIGH_FROM = 0.7;
export const MEDIUM_FROM = 0.4;

export function confidenceWord(score: number): ConfidenceWord {
  if (score >= HIGH_FROM) return 'High';
  return score >= MEDIUM_FROM ? 'Medium' : 'Low';
}
