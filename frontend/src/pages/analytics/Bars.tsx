/** Counts as bars, the longest full. */
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { EmptyState } from '../../ui/Notice';
import { count, exact } from '../../util/numbers';

export type BarRow = { key: string; name: ReactNode; count: number; filter: string | null };

export function Bars({ label, rows }: { label: string; rows: readonly BarRow[] }) {
  const most = Math.max(1, ...rows.map((row) => row.count));
  if (rows.length === 0) return <EmptyState title="Nothing in this time" />;
  return (
    <ul aria-label={label} className="space-y-0.5">
      {rows.map((row) => (
        <li key={row.key}>
          {row.filter === null ? (
            <div className="py-1.5">
              <Bar row={row} most={most} />
            </div>
          ) : (
            <Link
              to="/incidents"
              search={{ q: row.filter }}
              className="-mx-2 block rounded-md px-2 py-1.5 hover:bg-hover"
            >
              <Bar row={row} most={most} />
            </Link>
          )}
        </li>
      ))}
    </ul>
  );
}

function Bar({ row, most }: { row: BarRow; most: number }) {
  return (
    <>
      <span className="flex items-baseline justify-between gap-3 text-sm">
        <span className="min-w-0 truncate">{row.name}</span>
        <span className="font-medium tabular-nums" title={exact(row.count)}>
          {count(row.count)}
        </span>
      </span>
      <span aria-hidden="true" className="mt-1 block h-1 rounded-full bg-hover">
        <span
          className="block h-1 rounded-full bg-control"
          style={{ width: `${(row.count / most) * 100}%` }}
        />
      </span>
    </>
  );
}
