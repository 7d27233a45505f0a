/** Severity is always shape, word and colour together. */
import type { Severity } from '../api/types';
import { cx } from '../ui/cx';

const WORDS: Record<Severity, string> = {
  critical: 'Critical',
  high: 'High',
  medium: 'Medium',
  low: 'Low',
  info: 'Info',
};

/** Octagon, triangle up, diamond, triangle down, circle; on a grid of 16. */
const SHAPES: Record<Severity, string> = {
  critical: 'M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z',
  high: 'M8 1.2 15.4 14H.6z',
  medium: 'M8 .6 15.4 8 8 15.4.6 8z',
  low: 'M8 14.8.6 2h14.8z',
  info: 'M8 1.2a6.8 6.8 0 1 1 0 13.6A6.8 6.8 0 0 1 8 1.2z',
};

const INK: Record<Severity, string> = {
  critical: 'text-critical',
  high: 'text-high',
  medium: 'text-medium',
  low: 'text-low',
  info: 'text-info',
};

const FILLED: Record<Severity, string> = {
  critical: 'bg-critical-fill text-on-critical border-critical-fill',
  high: 'bg-high-fill text-on-high border-high',
  medium: 'bg-medium-fill text-on-medium border-medium',
  low: 'bg-low-fill text-on-low border-low-fill',
  info: 'bg-info-fill text-on-info border-info-fill',
};

const RAILS: Record<Severity, string> = {
  critical: 'bg-critical',
  high: 'bg-high',
  medium: 'bg-medium',
  low: 'bg-low',
  info: 'bg-info',
};

/** The fill of a bar, with the border that sets it off from the page. */
export function severityFill(severity: Severity): string {
  return FILLED[severity];
}

export function severityWord(severity: Severity): string {
  return WORDS[severity];
}

export function severityInk(severity: Severity): string {
  return INK[severity];
}

/** The colour of the strip at the left of a row. */
export function severityRail(severity: Severity): string {
  return RAILS[severity];
}

export function SeverityShape({ severity, className }: { severity: Severity; className?: string }) {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true" className={cx('size-3 shrink-0 fill-current', className)}>
      <path d={SHAPES[severity]} />
    </svg>
  );
}

/** A filled badge while it matters, an outline once it is over. */
export function SeverityBadge({ severity, quiet = false }: { severity: Severity; quiet?: boolean }) {
  return (
    <span
      className={cx(
        'inline-flex h-[22px] w-fit shrink-0 items-center gap-1.5 rounded border px-1.5 font-medium text-xs',
        quiet ? 'border-hairline text-muted' : FILLED[severity],
      )}
    >
      <SeverityShape severity={severity} />
      {WORDS[severity]}
    </span>
  );
}

/** Shape and word without a box, for running text and tables. */
export function SeverityText({ severity }: { severity: Severity }) {
  return (
    <span className={cx('inline-flex items-center gap-1.5 whitespace-nowrap', INK[severity])}>
      <SeverityShape severity={severity} />
      {WORDS[severity]}
    </span>
  );
}
