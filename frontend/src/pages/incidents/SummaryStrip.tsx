/** How bad it is in one line, two on a phone; each number narrows the list to what it counts. */
import { useQuery } from '@tanstack/react-query';
import { ListChecks, UserRound } from 'lucide-react';
import { useEffect } from 'react';
import { q } from '../../api/endpoints';
import { SEVERITIES } from '../../api/types';
import { syncClock } from '../../components/clock';
import { SeverityShape, severityInk, severityWord } from '../../components/Severity';
import { IconButton } from '../../ui/Button';
import { cx } from '../../ui/cx';
import { Segmented } from '../../ui/Segmented';
import { count, exact } from '../../util/numbers';
import { duration } from '../../util/time';
import { parseFilter, toggleMine, toggleSeverity, toggleState, withOpen } from './filter';

type Scope = 'open' | 'closed' | 'all';

type Props = { text: string; onChange: (text: string) => void; onChoose: () => void };

export function SummaryStrip({ text, onChange, onChoose }: Props) {
  const { data } = useQuery(q.summary());
  const filter = parseFilter(text);
  useEffect(() => {
    if (data) syncClock(data.server_time);
  }, [data]);
  const scope: Scope = filter.open === null ? 'all' : filter.open ? 'open' : 'closed';
  return (
    <section
      aria-label="Summary"
      className="flex shrink-0 items-center gap-x-1.5 gap-y-1 border-hairline border-b bg-surface px-5 py-2 max-md:flex-wrap max-md:px-3 max-md:py-1.5"
    >
      <Segmented
        label="Which incidents"
        value={scope}
        options={[
          { value: 'open', label: 'Open' },
          { value: 'closed', label: 'Closed' },
          { value: 'all', label: 'All' },
        ]}
        onChange={(next) => onChange(withOpen(text, next === 'all' ? null : next === 'open'))}
      />
      <IconButton label="Select incidents" onClick={onChoose} className="md:hidden">
        <ListChecks className="size-5" aria-hidden="true" />
      </IconButton>
      <span aria-hidden="true" className="mx-1.5 h-5 w-px shrink-0 bg-hairline max-md:hidden" />
      <Chip on={filter.states.includes('detected')} onClick={() => onChange(toggleState(text, 'detected'))}>
        <b className={cx('font-semibold tabular-nums', (data?.unacknowledged ?? 0) > 0 && 'text-critical')}>
          {count(data?.unacknowledged ?? 0)}
        </b>
        <span className="text-muted">unacknowledged</span>
      </Chip>
      <span className="flex items-center gap-x-1.5 max-md:gap-x-1">
        {SEVERITIES.map((severity) => {
          const n = data?.open_by_severity[severity] ?? 0;
          const on = filter.severities.includes(severity);
          if (n === 0 && !on && (severity === 'low' || severity === 'info')) return null;
          return (
            <Chip key={severity} on={on} onClick={() => onChange(toggleSeverity(text, severity))}>
              <SeverityShape
                severity={severity}
                className={n > 0 || on ? severityInk(severity) : 'text-muted'}
              />
              <b className="font-semibold tabular-nums" title={exact(n)}>
                {count(n)}
              </b>
              <span className="text-muted max-md:sr-only">{severityWord(severity).toLowerCase()}</span>
            </Chip>
          );
        })}
      </span>
      <Chip on={filter.owner === 'me'} onClick={() => onChange(toggleMine(text))}>
        <UserRound className="size-3.5 text-muted" aria-hidden="true" />
        <span className="text-muted">mine</span>
      </Chip>
      {data && (
        <span className="ml-auto whitespace-nowrap pl-4 text-[13px] text-muted tabular-nums max-lg:hidden">
          {data.mtta_count === 0
            ? 'No acknowledgements in 7 d'
            : `Acknowledged in ${duration((data.mtta_median_s ?? 0) * 1000)}, median of 7 d (n=${data.mtta_count})`}
        </span>
      )}
    </section>
  );
}

function Chip({ on, onClick, children }: { on: boolean; onClick: () => void; children: React.ReactNode }) {
  return (
    <button
      type="button"
      aria-pressed={on}
      onClick={onClick}
      className={cx(
        'inline-flex h-7 shrink-0 items-center gap-1.5 rounded-md border px-2 text-[13px] transition-colors max-md:h-9',
        on ? 'border-focus bg-tint' : 'border-transparent hover:bg-hover',
      )}
    >
      {children}
    </button>
  );
}
