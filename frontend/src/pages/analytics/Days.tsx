/** Incidents opened a day, stacked by severity; each day leads to its incidents. */
import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef } from 'react';
import { type IncidentBucket, SEVERITIES } from '../../api/types';
import { severityFill, severityWord } from '../../components/Severity';
import { cx } from '../../ui/cx';
import { counted } from '../../util/numbers';
import { day, ms } from '../../util/time';

const DAY_MS = 86_400_000;

export function Days({ buckets }: { buckets: readonly IncidentBucket[] }) {
  const most = Math.max(1, ...buckets.map((bucket) => bucket.opened));
  const labelEvery = Math.ceil(buckets.length / 7);
  const scroller = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another span begins at its end, which is today
  useEffect(() => scroller.current?.scrollTo({ left: scroller.current.scrollWidth }), [buckets.length]);
  return (
    <>
      <p className="mb-1 text-muted text-xs md:hidden">The highest is {counted(most, 'incident')} a day.</p>
      <div className="flex gap-3 max-md:-mx-2">
        <div
          aria-hidden="true"
          className="flex h-36 flex-col justify-between text-right text-muted text-xs tabular-nums max-md:hidden"
        >
          <span>{most}</span>
          <span>0</span>
        </div>
        <div ref={scroller} className="min-w-0 flex-1 overflow-x-auto pb-1 md:overflow-visible">
          <ol className="flex items-stretch">
            {buckets.map((bucket, index) => (
              <Column key={bucket.start} bucket={bucket} most={most}>
                <Label at={ms(bucket.start)} fromLast={(buckets.length - 1 - index) / labelEvery} />
              </Column>
            ))}
          </ol>
        </div>
      </div>
      <ul className="mt-3 flex flex-wrap gap-x-4 gap-y-1 text-muted text-xs">
        {SEVERITIES.map((severity) => (
          <li key={severity} className="inline-flex items-center gap-1.5">
            <span aria-hidden="true" className={cx('size-2.5 rounded-xs border', severityFill(severity))} />
            {severityWord(severity)}
          </li>
        ))}
      </ul>
    </>
  );
}

/** Every so many columns, counted from today; a phone has room for half of them. */
function Label({ at, fromLast }: { at: number; fromLast: number }) {
  return (
    <span aria-hidden="true" className="relative block h-5 text-muted text-xs">
      {Number.isInteger(fromLast) && (
        <span
          className={cx(
            'absolute top-1 whitespace-nowrap',
            fromLast === 0 ? 'right-0 md:right-1/2 md:translate-x-1/2' : 'left-1/2 -translate-x-1/2',
            fromLast % 2 === 1 && 'max-md:hidden',
          )}
        >
          {day(at, 'utc').replace(/^\w+ /, '')}
        </span>
      )}
    </span>
  );
}

type ColumnProps = { bucket: IncidentBucket; most: number; children: ReactNode };

function Column({ bucket, most, children }: ColumnProps) {
  const start = ms(bucket.start);
  const next = new Date(start + DAY_MS).toISOString().slice(0, 10);
  const text = `${day(start, 'utc')}: ${counted(bucket.opened, 'incident')} opened, ${bucket.resolved} resolved`;
  return (
    <li className="min-w-0 flex-1 max-md:min-w-6">
      <Link
        to="/incidents"
        search={{ q: `from:${bucket.start.slice(0, 10)} to:${next}` }}
        aria-label={text}
        title={text}
        className="flex h-36 flex-col justify-end rounded-t border-hairline border-b px-px hover:bg-hover sm:px-0.5"
      >
        {SEVERITIES.map((severity) => {
          const n = bucket.by_severity[severity];
          if (n === 0) return null;
          return (
            <span
              key={severity}
              className={cx(
                'mx-auto mb-px block w-full max-w-8 border first:rounded-t-sm',
                severityFill(severity),
              )}
              style={{ height: `${(n / most) * 100}%` }}
            />
          );
        })}
      </Link>
      {children}
    </li>
  );
}
