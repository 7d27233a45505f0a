/** Incidents opened a day, stacked by severity; each day leads to its incidents. */
import { Link } from '@tanstack/react-router';
import { type IncidentBucket, SEVERITIES } from '../../api/types';
import { SeverityShape, severityFill, severityInk, severityWord } from '../../components/Severity';
import { cx } from '../../ui/cx';
import { counted } from '../../util/numbers';
import { day, ms } from '../../util/time';

const DAY_MS = 86_400_000;

export function Days({ buckets }: { buckets: readonly IncidentBucket[] }) {
  const most = Math.max(1, ...buckets.map((bucket) => bucket.opened));
  const labelEvery = Math.ceil(buckets.length / 7);
  return (
    <>
      <div className="flex gap-3">
        <div
          aria-hidden="true"
          className="flex h-36 flex-col justify-between text-right text-muted text-xs tabular-nums"
        >
          <span>{most}</span>
          <span>0</span>
        </div>
        <ol className="flex h-36 min-w-0 flex-1 items-stretch gap-px border-hairline border-b sm:gap-1">
          {buckets.map((bucket) => (
            <Column key={bucket.start} bucket={bucket} most={most} />
          ))}
        </ol>
      </div>
      <div aria-hidden="true" className="ml-6 flex text-muted text-xs">
        {buckets.map((bucket, index) => (
          <span key={bucket.start} className="min-w-0 flex-1 overflow-visible whitespace-nowrap pt-1">
            {index % labelEvery === 0 ? day(ms(bucket.start), 'utc').replace(/^\w+ /, '') : ''}
          </span>
        ))}
      </div>
      <ul className="mt-3 flex flex-wrap gap-x-4 gap-y-1 text-muted text-xs">
        {SEVERITIES.map((severity) => (
          <li key={severity} className="inline-flex items-center gap-1.5">
            <SeverityShape severity={severity} className={cx('size-2.5', severityInk(severity))} />
            {severityWord(severity)}
          </li>
        ))}
      </ul>
    </>
  );
}

function Column({ bucket, most }: { bucket: IncidentBucket; most: number }) {
  const start = ms(bucket.start);
  const next = new Date(start + DAY_MS).toISOString().slice(0, 10);
  const text = `${day(start, 'utc')}: ${counted(bucket.opened, 'incident')} opened, ${bucket.resolved} resolved`;
  return (
    <li className="min-w-0 flex-1">
      <Link
        to="/incidents"
        search={{ q: `from:${bucket.start.slice(0, 10)} to:${next}` }}
        aria-label={text}
        title={text}
        className="flex h-full flex-col justify-end rounded-t hover:bg-hover"
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
    </li>
  );
}
