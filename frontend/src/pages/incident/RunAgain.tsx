/** Runs exactly the query of a piece of evidence again, and shows then and now. */
import { RotateCw } from 'lucide-react';
import { actions, useAction } from '../../api/actions';
import { sentenceOf } from '../../api/errors';
import type { Evidence, Incident, Rerun } from '../../api/types';
import { Chart } from '../../components/Chart';
import { Instant } from '../../components/Time';
import { Button } from '../../ui/Button';
import { measured } from '../../util/numbers';
import { sentence } from '../../util/sentence';
import { shadeOf } from './evidence';

export function RunAgain({ evidence, incident }: { evidence: Evidence; incident: Incident }) {
  const run = useAction(actions.runAgain, []);
  return (
    <div className="space-y-2">
      <Button
        size="sm"
        pending={run.isPending}
        onClick={() => run.mutate({ id: incident.id, evidence: evidence.id })}
      >
        {!run.isPending && <RotateCw className="size-3.5" aria-hidden="true" />} Run again
      </Button>
      <div role="status">
        {run.isError && <p className="text-critical text-sm">{sentenceOf(run.error)}</p>}
        {run.data && <Compared rerun={run.data} incident={incident} />}
      </div>
    </div>
  );
}

function Compared({ rerun, incident }: { rerun: Rerun; incident: Incident }) {
  const { was, now, unit, reason } = rerun;
  const value = (one: number | null) => (one === null ? 'no value' : measured(one, unit));
  return (
    <div className="space-y-2">
      <p className="text-sm tabular-nums">
        Then {value(was.value)}, now {value(now.value)}
        {now.at && (
          <span className="text-muted">
            {' '}
            (<Instant at={now.at} />)
          </span>
        )}
      </p>
      {reason && <p className="text-muted text-sm">{sentence(reason)}</p>}
      {rerun.series.length > 0 && (
        <Chart
          series={rerun.series}
          unit={unit}
          threshold={null}
          shade={shadeOf(incident)}
          alt={`The same query until now: ${value(now.value)}.`}
          height={120}
        />
      )}
    </div>
  );
}
