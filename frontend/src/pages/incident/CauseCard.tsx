/** The most likely cause, in whichever of its five states the analysis is. */
import { useQuery } from '@tanstack/react-query';
import { LoaderCircle, RefreshCw } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { actions, useAction } from '../../api/actions';
import { q } from '../../api/endpoints';
import { sentenceOf } from '../../api/errors';
import type { Analysis, Evidence, Hypotheses, Hypothesis, Incident } from '../../api/types';
import { Confidence } from '../../components/Confidence';
import { ErrorState } from '../../components/ErrorState';
import { useBlocked } from '../../components/me';
import { Lasted } from '../../components/Time';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Skeleton } from '../../ui/Notice';
import { usePrinting } from '../../ui/printing';
import { toast } from '../../ui/Toast';
import { sentence } from '../../util/sentence';
import { AnalysisLine } from './AnalysisLine';
import { AsOf } from './AsOf';
import { Found } from './Found';
import { Theory } from './Theory';
import { EarlierVersion, VersionSwitch } from './Versions';

export function CauseCard({ incident }: { incident: Incident }) {
  const query = useQuery(q.hypotheses(incident.id));
  const evidence = useQuery(q.evidence(incident.id));
  const analysis = query.data?.analysis ?? null;
  const best = query.data?.items[0];
  const [earlier, setEarlier] = useState<number | null>(null);
  return (
    <Card
      title={earlier === null && best && analysis?.status !== 'inconclusive' ? 'Most likely cause' : 'Cause'}
      aside={
        <>
          {earlier === null && analysis && <Reanalyse incident={incident} analysis={analysis} />}
          {earlier === null && best && (
            <Confidence score={best.confidence_score} verdict={best.feedback?.verdict} />
          )}
        </>
      }
    >
      {query.data ? (
        <>
          <AsOf query={query} />
          {earlier === null ? (
            <Content data={query.data} evidence={evidence.data?.items ?? []} incident={incident} />
          ) : (
            <EarlierVersion incident={incident} version={earlier} onBack={() => setEarlier(null)} />
          )}
          <VersionSwitch versions={query.data.versions} shown={earlier} onChange={setEarlier} />
        </>
      ) : query.isError ? (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <Skeleton rows={4} />
      )}
    </Card>
  );
}

function Content({
  data,
  evidence,
  incident,
}: {
  data: Hypotheses;
  evidence: readonly Evidence[];
  incident: Incident;
}) {
  const { analysis, items } = data;
  if (!analysis) return <NotStarted incident={incident} />;
  const [best, ...others] = items;
  return (
    <>
      <StatusLine analysis={analysis} incident={incident} ranked={best?.analysis_id === analysis.id} />
      {best && analysis.status !== 'inconclusive' && (
        <Theory hypothesis={best} evidence={evidence} incident={incident} />
      )}
      {others.length > 0 && analysis.status !== 'inconclusive' && (
        <Others items={others} evidence={evidence} incident={incident} />
      )}
      {(analysis.status === 'inconclusive' || items.length === 0) && (
        <Found evidence={evidence} incident={incident} />
      )}
      <AnalysisLine analysis={analysis} />
    </>
  );
}

/** What is said above the theories: that there are none yet, or why there are none. */
function StatusLine({
  analysis,
  incident,
  ranked,
}: {
  analysis: Analysis;
  incident: Incident;
  /** Whether the causes below are of this analysis: then only the model's word is missing. */
  ranked: boolean;
}) {
  if (analysis.status === 'queued')
    return <Working text="Waiting to start" since={analysis.started_at ?? incident.updated_at} />;
  if (analysis.status === 'running')
    return (
      <Working
        text={
          ranked
            ? 'Ranked by statistics; a language model is asked about it'
            : 'Comparing metrics, alerts and changes with the time before'
        }
        since={analysis.started_at ?? incident.updated_at}
      />
    );
  if (analysis.status === 'failed')
    return (
      <div role="status" className="mb-3">
        <p className="font-medium">The analysis failed.</p>
        <p className="mt-0.5 text-muted text-sm">
          {analysis.reason ? sentence(analysis.reason) : 'No reason was recorded.'}
        </p>
        <div className="mt-2.5">
          <StartButton incident={incident} refresh label="Try again" />
        </div>
      </div>
    );
  if (analysis.status === 'inconclusive')
    return (
      <div role="status" className="mb-3">
        <p className="font-medium text-base">Not enough evidence to name a cause.</p>
        {analysis.reason && <p className="mt-0.5 text-muted text-sm">{sentence(analysis.reason)}</p>}
        <Checked items={analysis.checked} />
      </div>
    );
  return null;
}

function Working({ text, since }: { text: string; since: string }) {
  return (
    <p role="status" className="mb-3 flex items-center gap-2 text-sm">
      <LoaderCircle className="size-4 animate-spin text-link" aria-hidden="true" />
      {text}
      <span className="text-muted">
        <Lasted from={since} to={null} /> so far
      </span>
    </p>
  );
}

function Checked({ items }: { items: readonly string[] }) {
  if (items.length === 0) return null;
  return (
    <>
      <h3 className="mt-3 mb-1 text-[13px] text-muted">What was checked</h3>
      <ul className="space-y-1 text-sm">
        {items.map((item) => (
          <li key={item} className="flex gap-2">
            <span aria-hidden="true" className="mt-2 size-1 shrink-0 rounded-full bg-control" />
            <span className="[overflow-wrap:anywhere]">{sentence(item)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Others({
  items,
  evidence,
  incident,
}: {
  items: readonly Hypothesis[];
  evidence: readonly Evidence[];
  incident: Incident;
}) {
  const [open, setOpen] = useState<string | null>(null);
  const printing = usePrinting();
  return (
    <section aria-label="Other theories" className="mt-4 border-hairline border-t pt-3">
      <h3 className="mb-1 text-[13px] text-muted">Other theories</h3>
      <ul>
        {items.map((one) => (
          <li key={one.id} className="border-hairline border-b last:border-0">
            <button
              type="button"
              data-prints
              aria-expanded={open === one.id}
              onClick={() => setOpen(open === one.id ? null : one.id)}
              className="-mx-2 flex w-[calc(100%+1rem)] items-center gap-x-3 gap-y-1 rounded-md px-2 py-2 text-left text-sm hover:bg-hover max-md:flex-wrap"
            >
              <span className="min-w-0 flex-1 [overflow-wrap:anywhere] max-md:basis-full">{one.claim}</span>
              <Confidence score={one.confidence_score} verdict={one.feedback?.verdict} />
            </button>
            {(open === one.id || printing) && (
              <div className="pt-1 pb-3">
                <Theory hypothesis={one} evidence={evidence} incident={incident} minor />
              </div>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function NotStarted({ incident }: { incident: Incident }) {
  return (
    <div className="flex flex-wrap items-center gap-3">
      <p className="min-w-0 flex-1 text-muted text-sm">No analysis has run for this incident yet.</p>
      <StartButton incident={incident} refresh={false} label="Look for causes" />
    </div>
  );
}

function Reanalyse({ incident, analysis }: { incident: Incident; analysis: Analysis }): ReactNode {
  const over = analysis.status === 'completed' || analysis.status === 'inconclusive';
  if (!over || incident.merged_into) return null;
  return <StartButton incident={incident} refresh label="Analyse again" quiet />;
}

function StartButton({
  incident,
  refresh,
  label,
  quiet = false,
}: {
  incident: Incident;
  refresh: boolean;
  label: string;
  quiet?: boolean;
}) {
  const start = useAction(actions.analyse, ['hypotheses', 'incident', 'steps']);
  const blocked = useBlocked('engineer');
  return (
    <Button
      size={quiet ? 'sm' : 'md'}
      look={quiet ? 'ghost' : 'secondary'}
      pending={start.isPending}
      blocked={blocked}
      onClick={() =>
        start.mutate(
          { id: incident.id, refresh },
          { onError: (error) => toast({ title: sentenceOf(error), tone: 'bad' }) },
        )
      }
    >
      {!start.isPending && <RefreshCw className="size-3.5" aria-hidden="true" />} {label}
    </Button>
  );
}
