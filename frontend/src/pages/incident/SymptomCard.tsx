/** The alert's own expression over time, with its limit, the incident and the changes around it. */
import { useQuery } from '@tanstack/react-query';
import { ExternalLink } from 'lucide-react';
import { useMemo } from 'react';
import { q } from '../../api/endpoints';
import type { Incident } from '../../api/types';
import { Chart } from '../../components/Chart';
import { safeUrl } from '../../components/safeUrl';
import { Card } from '../../ui/Card';
import { Code } from '../../ui/Copy';
import { ms } from '../../util/time';
import { spanBefore } from './around';
import { chartAlt, shadeOf } from './evidence';

export function SymptomCard({ incident }: { incident: Incident }) {
  const { data } = useQuery(q.evidence(incident.id));
  const changes = useQuery(q.changes(spanBefore(incident))).data?.items;
  const markers = useMemo(
    () =>
      (changes ?? []).map((change) => ({
        at: ms(change.timestamp),
        label: change.version ?? change.kind,
      })),
    [changes],
  );
  const shade = useMemo(() => shadeOf(incident), [incident]);
  const symptom = data?.items.find((one) => one.role === 'symptom' && one.series && one.series.length > 0);
  if (!symptom?.series) return null;
  const url = safeUrl(symptom.url);
  return (
    <Card
      title="The alert’s own measurement"
      aside={
        url && (
          <a
            href={url}
            target="_blank"
            rel="noreferrer noopener"
            className="inline-flex items-center gap-1 text-link hover:underline"
          >
            Open in Prometheus <ExternalLink className="size-3.5" aria-hidden="true" />
          </a>
        )
      }
    >
      <Chart
        series={symptom.series}
        unit={symptom.unit}
        threshold={symptom.threshold}
        shade={shade}
        markers={markers}
        alt={chartAlt(symptom)}
        height={200}
      />
      {symptom.query && (
        <details className="mt-2 text-[13px] text-muted">
          <summary className="w-fit rounded hover:text-text">Query</summary>
          <Code label="PromQL" text={symptom.query} className="mt-2" />
        </details>
      )}
    </Card>
  );
}
