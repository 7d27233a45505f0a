/** What a view says when it has nothing, is loading, or failed: each says what, why and what next. */
import type { ReactNode } from 'react';
import { cx } from './cx';

export function EmptyState({
  icon,
  title,
  children,
  action,
}: {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="mx-auto flex max-w-md flex-col items-center px-6 py-14 text-center">
      {icon && (
        <div className="mb-4 flex size-11 items-center justify-center rounded-full bg-hover text-muted">
          {icon}
        </div>
      )}
      <h2 className="font-semibold text-base">{title}</h2>
      {children && <div className="mt-1.5 text-muted text-sm">{children}</div>}
      {action && <div className="mt-4">{action}</div>}
    </div>
  );
}

/** Grey bars in the place of text that is on its way. */
export function Skeleton({ rows = 3, className }: { rows?: number; className?: string }) {
  const widths = ['w-11/12', 'w-3/4', 'w-5/6', 'w-2/3'];
  return (
    <div role="status" aria-label="Loading" className={cx('space-y-3', className)}>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the bars are all alike
        <div key={row} className={cx('skeleton h-4', widths[row % widths.length])} />
      ))}
    </div>
  );
}

/** A remark inside a page, such as a limit or a warning. */
export function Remark({
  tone = 'plain',
  children,
}: {
  tone?: 'plain' | 'warn' | 'bad';
  children: ReactNode;
}) {
  const tones = {
    plain: 'border-hairline bg-surface text-muted',
    warn: 'border-medium/50 bg-medium-fill/10 text-text',
    bad: 'border-critical/40 bg-critical/5 text-text',
  };
  return <div className={cx('rounded-md border px-3 py-2 text-sm', tones[tone])}>{children}</div>;
}
