/** One piece of evidence: what it says, and behind it the chart, the query and the way to run it again. */
import { Link } from '@tanstack/react-router';
import { ChevronRight, ExternalLink } from 'lucide-react';
import { useState } from 'react';
import type { Evidence, Incident } from '../../api/types';
import { Chart } from '../../components/Chart';
import { safeUrl } from '../../components/safeUrl';
import { Instant } from '../../components/Time';
import { Code } from '../../ui/Copy';
import { cx } from '../../ui/cx';
import { chartAlt, hasMore, shadeOf } from './evidence';
import { RunAgain } from './RunAgain';

type Props = { evidence: Evidence; side: 'for' | 'against' | null; incident: Incident };

export function EvidenceRow({ evidence, side, incident }: Props) {
  const [open, setOpen] = useState(false);
  const inside = (
    <>
      {side && (
        <span
          className={cx('w-14 shrink-0 text-[13px]', side === 'for' ? 'font-medium text-link' : 'text-muted')}
        >
          {side}
        </span>
      )}
      <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">{evidence.summary}</span>
    </>
  );
  const row = '-mx-2 flex w-[calc(100%+1rem)] items-start gap-2.5 rounded-md px-2 py-2 text-left text-sm';
  if (!hasMore(evidence))
    return (
      <li className="border-hairline border-b">
        <div className={row}>{inside}</div>
      </li>
    );
  return (
    <li className="border-hairline border-b">
      <button
        type="button"
        data-prints
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className={cx(row, 'hover:bg-hover')}
      >
        {inside}
        <ChevronRight
          aria-hidden="true"
          className={cx('mt-0.5 size-4 shrink-0 text-muted transition-transform', open && 'rotate-90')}
        />
      </button>
      {open && <Opened evidence={evidence} incident={incident} />}
    </li>
  );
}

function Opened({ evidence, incident }: { evidence: Evidence; incident: Incident }) {
  const url = safeUrl(evidence.url);
  return (
    <div className="space-y-3 pt-1 pb-4 md:pl-[66px]">
      {evidence.series && evidence.series.length > 0 && (
        <Chart
          series={evidence.series}
          unit={evidence.unit}
          threshold={evidence.threshold}
          shade={shadeOf(incident)}
          alt={chartAlt(evidence)}
          height={140}
        />
      )}
      {evidence.query && <Code label="PromQL" text={evidence.query} />}
      {evidence.query && <RunAgain evidence={evidence} incident={incident} />}
      <p className="flex flex-wrap items-center gap-x-4 gap-y-1 text-[13px] text-muted">
        {evidence.start && evidence.end && (
          <span>
            <Instant at={evidence.start} /> to <Instant at={evidence.end} />
          </span>
        )}
        {url?.startsWith('/') ? (
          <Link to={url} className="text-link hover:underline">
            Open
          </Link>
        ) : (
          url && (
            <a
              href={url}
              target="_blank"
              rel="noreferrer noopener"
              className="inline-flex items-center gap-1 text-link hover:underline"
            >
              Open at {new URL(url).host} <ExternalLink className="size-3.5" aria-hidden="true" />
            </a>
          )
        )}
      </p>
    </div>
  );
}
