/** A titled block of a page. */
import { type ReactNode, useId } from 'react';
import { cx } from './cx';

type Props = {
  title: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
  className?: string;
  /** Without inner spacing, for tables that reach the edges. */
  flush?: boolean;
};

export function Card({ title, aside, children, className, flush = false }: Props) {
  const id = useId();
  return (
    <section
      aria-labelledby={id}
      className={cx('min-w-0 rounded-lg border border-hairline bg-raised', className)}
    >
      <header className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 px-4 pt-2 pb-1">
        <h2 id={id} className="font-semibold text-[13px]">
          {title}
        </h2>
        {aside && <div className="ml-auto flex items-center gap-2 text-muted text-xs">{aside}</div>}
      </header>
      <div className={flush ? '' : 'px-4 pb-4'}>{children}</div>
    </section>
  );
}
