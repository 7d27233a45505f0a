/** Earlier versions of an analysis, to read: what was thought then, and what was said of it. */
import { useQuery } from '@tanstack/react-query';
import { q } from '../../api/endpoints';
import type { Incident, Version } from '../../api/types';
import { Confidence } from '../../components/Confidence';
import { ErrorState } from '../../components/ErrorState';
import { Instant } from '../../components/Time';
import { Button } from '../../ui/Button';
import { Skeleton } from '../../ui/Notice';
import { sentence } from '../../util/sentence';
import { AnalysisLine } from './AnalysisLine';
import { Found } from './Found';
import { Theory } from './Theory';

const WORD: Record<Version['status'], string> = {
  queued: 'waiting',
  running: 'at work',
  completed: 'cause named',
  inconclusive: 'no cause named',
  failed: 'failed',
};

/** Which version is shown; nothing while there is only one. */
export function VersionSwitch({
  versions,
  shown,
  onChange,
}: {
  versions: readonly Version[];
  /** Null is the newest, whichever that will be. */
  shown: number | null;
  onChange: (version: number | null) => void;
}) {
  const newest = versions[0];
  if (!newest || versions.length < 2) return null;
  return (
    <label className="mt-3 flex w-fit max-w-full items-center gap-2 text-[13px] text-muted print:hidden">
      Version
      <select
        value={shown ?? newest.version}
        onChange={({ target }) =>
          onChange(Number(target.value) === newest.version ? null : Number(target.value))
        }
        className="h-7 min-w-0 rounded-md border border-control/60 bg-surface px-1.5 text-text text-xs max-md:h-11 max-md:text-base"
      >
        {versions.map((one, index) => (
          <option key={one.version} value={one.version}>
            {one.version}
            {index === 0 ? ', newest' : ''}: {WORD[one.status]}
          </option>
        ))}
      </select>
    </label>
  );
}

/** An earlier version: nothing in it can be changed any more. */
export function EarlierVersion({
  incident,
  version,
  onBack,
}: {
  incident: Incident;
  version: number;
  /** Shows the newest again. */
  onBack: () => void;
}) {
  const query = useQuery(q.hypothesesOf(incident.id, version));
  const evidence = useQuery(q.evidenceOf(incident.id, version));
  if (!query.data)
    return query.isError ? (
      <ErrorState error={query.error} onRetry={() => void query.refetch()} />
    ) : (
      <Skeleton rows={4} />
    );
  const { analysis, items } = query.data;
  const facts = evidence.data?.items ?? [];
  if (!analysis) return null;
  const names = analysis.status === 'completed' && items.length > 0;
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center justify-between gap-x-3 gap-y-2 rounded-md bg-hover px-3 py-2">
        <p role="status" className="text-muted text-sm">
          Version {version} is an earlier one, to read only
          {analysis.completed_at && (
            <>
              ; it ended <Instant at={analysis.completed_at} />
            </>
          )}
          .{!names && analysis.reason && ` ${sentence(analysis.reason)}`}
        </p>
        <Button size="sm" onClick={onBack}>
          Show the newest
        </Button>
      </div>
      {names ? (
        items.map((one) => (
          <div
            key={one.id}
            className="border-hairline border-b py-3 first-of-type:pt-0 last-of-type:border-0"
          >
            <div className="mb-1">
              <Confidence score={one.confidence_score} verdict={one.feedback?.verdict} />
            </div>
            <Theory hypothesis={one} evidence={facts} incident={incident} readOnly />
          </div>
        ))
      ) : (
        <Found evidence={facts} incident={incident} />
      )}
      <AnalysisLine analysis={analysis} />
    </>
  );
}
