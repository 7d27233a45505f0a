/** Confidence is a word with three bars; the number is for those who open the details. What a person found out counts more. */
import type { Verdict } from '../api/types';
import { cx } from '../ui/cx';
import { type ConfidenceWord, confidenceWord } from '../util/confidence';

const BARS: Record<ConfidenceWord, number> = { High: 3, Medium: 2, Low: 1 };
const INK: Record<ConfidenceWord, string> = {
  High: 'bg-tint text-link',
  Medium: 'bg-tint text-link',
  Low: 'bg-hover text-muted',
};

const BADGE = 'inline-flex h-6 shrink-0 items-center gap-1.5 rounded-md px-2 font-medium text-xs';

export function Confidence({ score, verdict }: { score: number; verdict?: Verdict | undefined }) {
  const word = confidenceWord(score);
  if (verdict === 'rejected') return <span className={cx(BADGE, 'bg-hover text-muted')}>Called wrong</span>;
  if (verdict === 'accepted') return <span className={cx(BADGE, 'bg-tint text-link')}>Called right</span>;
  return (
    <span className={cx(BADGE, INK[word])}>
      <svg viewBox="0 0 14 12" aria-hidden="true" className="h-3 w-3.5 fill-current">
        {[0, 1, 2].map((bar) => (
          <rect
            key={bar}
            x={bar * 5}
            y={8 - bar * 4}
            width="3.6"
            height={4 + bar * 4}
            rx="1"
            opacity={bar < BARS[word] ? 1 : 0.25}
          />
        ))}
      </svg>
      {word} confidence
    </span>
  );
}
