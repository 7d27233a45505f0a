/** The state of an incident as a word with its own mark. */
import type { State } from '../api/types';
import { cx } from '../ui/cx';

const WORDS: Record<State, string> = {
  detected: 'Detected',
  acknowledged: 'Acknowledged',
  investigating: 'Investigating',
  mitigated: 'Mitigated',
  resolved: 'Resolved',
  learned: 'Learned',
  inconclusive: 'Inconclusive',
};

const INK: Record<State, string> = {
  detected: 'text-text font-semibold',
  acknowledged: 'text-link',
  investigating: 'text-investigating',
  mitigated: 'text-resolved',
  resolved: 'text-resolved',
  learned: 'text-resolved',
  inconclusive: 'text-muted',
};

/** How full the little circle is: empty when nobody has it, full when it is over. */
const FULL: Record<State, number> = {
  detected: 0,
  acknowledged: 0.25,
  investigating: 0.5,
  mitigated: 0.75,
  resolved: 1,
  learned: 1,
  inconclusive: 0.5,
};

const ROUND = 2 * Math.PI * 3;

export function stateWord(state: State): string {
  return WORDS[state];
}

export function StateBadge({ state, className }: { state: State; className?: string }) {
  return (
    <span
      className={cx('inline-flex items-center gap-1.5 whitespace-nowrap text-[13px]', INK[state], className)}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true" className="size-3.5 shrink-0">
        <circle cx="8" cy="8" r="6.5" fill="none" stroke="currentColor" strokeWidth="1.6" />
        <circle
          cx="8"
          cy="8"
          r="3"
          fill="none"
          stroke="currentColor"
          strokeWidth="6"
          strokeDasharray={`${FULL[state] * ROUND} ${ROUND}`}
          transform="rotate(-90 8 8)"
        />
      </svg>
      {WORDS[state]}
    </span>
  );
}
