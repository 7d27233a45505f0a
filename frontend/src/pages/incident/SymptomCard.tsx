/** The alert's own expression over time, with its limit, the incident and the changes around it. */
import { useQuery } from '@tanstack/react-query';
import { ExternalLink, RotateCw } from 'lucide-react';
import { useMemo } from 'react';
import { actions, useAction } from '../../api/actions';
import { q } from '../../api/endpoints';
import { sentenceOf } from '../../api/errors';
import type { Evidence, Incident } from '../../api/types';
import { Chart } from '../../components/Chart';
import { safeUrl } from '../../components/safeUrl';
import { Instant } from '../../components/Time';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Code } from '../../ui/Copy';
import { sentence } from '../../util/sentence';
import { spanBefore } from './around';
import { chartAlt, markerOf, shadeOf } from './evidence';

export function SymptomCard({ incident }: { incident: Incident }) {
  const { data } = useQuery(q.evidence(incident.id));
  const symptom = data?.items.find((one) => one.role === 'symptom' && one.series && one.series.length > 0);
  return symptom && <Measured key={symptom.id} symptom={symptom} incident={incident} />;
}

function Measured({ symptom, incident }: { symptom: Evidence; incident: Incident }) {
  const run = useAction(actions.runAgain, []);
  const fresh = run.data && run.data.series.length > 0 ? run.data : null;
  const shown = fresh ? { ...symptom, series: fresh.series } : symptom;
  const asOf = fresh ? fresh.now.at : symptom.end;
  const changes = useQuery(q.changes(spanBefore(incident))).data?.items;
  const markers = useMemo(() => (changes ?? []).map(markerOf), [changes]);
  return (
    <Card
      title="The alert’s own measurement"
      aside={
        <>
          {asOf && (
            <span>
              as of <Instant at={asOf} />
            </span>
          )}
          {symptom.query && (
            <Button
              size="sm"
              look="ghost"
              pending={run.isPending}
              onClick={() => run.mutate({ id: incident.id, evidence: symptom.id })}
            >
              {!run.isPending && <RotateCw className="size-3.5" aria-hidden="true" />} Run again
            </Button>
          )}
        </>
      }
    >
      <Chart
        series={shown.series ?? []}
        unit={symptom.unit}
        threshold={symptom.threshold}
        shade={shadeOf(incident)}
        markers={markers}
        alt={chartAlt(shown)}
        height={200}
      />
      <div role="status">
        {run.isError && <p className="mt-1 text-critical text-sm">{sentenceOf(run.error)}</p>}
        {run.data?.reason && <p className="mt-1 text-muted text-sm">{sentence(run.data.reason)}</p>}
      </div>
      <Origin symptom={symptom} />
    </Card>
  );
}

/** What was asked, and where one can ask it oneself. */
function Origin({ symptom }: { symptom: Evidence }) {
  const url = safeUrl(symptom.url);
  return (
    <div className="mt-2 flex flex-wrap items-start gap-x-4 gap-y-1 text-[13px]">
      {symptom.query && (
        <details className="min-w-0 max-w-full text-muted open:basis-full">
          <summary className="w-fit rounded hover:text-text">Query</summary>
          <Code label="PromQL" text={symptom.query} className="mt-2" />
        </details>
      )}
      {url && (
        <a
          href={url}
          target="_blank"
          rel="noreferrer noopener"
          className="inline-flex items-center gap-1 text-link hover:underline"
        >
          Open in Prometheus <ExternalLink className="size-3.5" aria-hidden="true" />
        </a>
      )}
    </div>
  );
}
