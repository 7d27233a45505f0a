/** Plain tables with a named header row. On a phone each row is a block in which every value carries its own name. */
import { Children, createContext, type ReactNode, useContext } from 'react';
import { cx } from './cx';

type Head = string | { text: string; right?: boolean; hidden?: boolean };

const HeadContext = createContext<readonly Head[]>([]);
/** What the cell is called on a phone; the first one names the row and needs no name itself. */
const NameContext = createContext<string | undefined>(undefined);

export function Table({
  label,
  head,
  children,
}: {
  label: string;
  head: readonly Head[];
  children: ReactNode;
}) {
  return (
    <section
      aria-label={`${label}, table`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
      tabIndex={0}
      className="overflow-x-auto"
    >
      <table className="w-full text-left text-sm max-md:block">
        <thead className="max-md:sr-only">
          <tr className="border-hairline border-b text-muted text-xs">
            {head.map((cell) => {
              const { text, right = false, hidden = false } = parts(cell);
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
        <tbody className="max-md:block">
          <HeadContext value={head}>{children}</HeadContext>
        </tbody>
      </table>
    </section>
  );
}

/** Its children are the cells, in the order of the header. */
export function Row({ children }: { children: ReactNode }) {
  const head = useContext(HeadContext);
  return (
    <tr className="border-hairline border-b last:border-0 hover:bg-surface max-md:flex max-md:flex-wrap max-md:items-center max-md:gap-x-4 max-md:gap-y-1 max-md:px-4 max-md:py-2.5">
      {Children.map(children, (cell, index) => {
        const { text, hidden = false } = parts(head[index] ?? '');
        return <NameContext value={index === 0 || hidden ? undefined : text}>{cell}</NameContext>;
      })}
    </tr>
  );
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
  const name = useContext(NameContext);
  return (
    <td
      className={cx(
        'px-4 py-2 align-middle max-md:flex max-md:min-w-0 max-md:items-baseline max-md:gap-1.5 max-md:p-0 max-md:first:w-full max-md:empty:hidden',
        'max-md:whitespace-normal max-md:[overflow-wrap:anywhere]',
        right && 'text-right tabular-nums',
        className,
      )}
    >
      {name && (
        <span aria-hidden="true" className="shrink-0 font-normal font-sans text-muted text-xs md:hidden">
          {name}
        </span>
      )}
      {children}
    </td>
  );
}

function parts(head: Head): { text: string; right?: boolean; hidden?: boolean } {
  return typeof head === 'string' ? { text: head } : head;
}
