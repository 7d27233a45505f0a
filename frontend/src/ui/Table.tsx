/** Plain tables with a named header row; they scroll sideways inside themselves on a phone. */
import type { ReactNode } from 'react';
import { cx } from './cx';

export function Table({
  label,
  head,
  children,
}: {
  label: string;
  head: readonly (string | { text: string; right?: boolean; hidden?: boolean })[];
  children: ReactNode;
}) {
  return (
    <section
      aria-label={`${label}, table`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
      tabIndex={0}
      className="overflow-x-auto"
    >
      <table className="w-full text-left text-sm">
        <thead>
          <tr className="border-hairline border-b text-muted text-xs">
            {head.map((cell) => {
              const {
                text,
                right = false,
                hidden = false,
              } = typeof cell === 'string' ? { text: cell } : cell;
              return (
                <th
                  key={text}
                  scope="col"
                  className={cx('whitespace-nowrap px-4 py-2 font-medium', right && 'text-right')}
                >
                  {hidden ? <span className="sr-only">{text}</span> : text}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

export function Row({ children }: { children: ReactNode }) {
  return <tr className="border-hairline border-b last:border-0 hover:bg-surface">{children}</tr>;
}

export function Cell({
  children,
  right = false,
  className,
}: {
  children: ReactNode;
  right?: boolean;
  className?: string;
}) {
  return (
    <td className={cx('px-4 py-2 align-middle', right && 'text-right tabular-nums', className)}>
      {children}
    </td>
  );
}
