/** Who made the theories, how long it took, and what it cost. */
import type { Analysis } from '../../api/types';
import { count, money } from '../../util/numbers';
import { sentence } from '../../util/sentence';
import { ms, stepDuration } from '../../util/time';

export function AnalysisLine({ analysis }: { analysis: Analysis }) {
  const parts = analysisParts(analysis);
  return (
    <>
      {analysis.changed && analysis.completed_at && <Changes items={analysis.changed} />}
      {analysis.status === 'completed' && analysis.reason && (
        <p className="mt-3 text-muted text-sm [overflow-wrap:anywhere]">{sentence(analysis.reason)}</p>
      )}
      <Details analysis={analysis} parts={parts} />
    </>
  );
}

/** What this version says that the one before did not. */
function Changes({ items }: { items: readonly string[] }) {
  return (
    <section aria-label="Since the last version" className="mt-3 text-sm">
      <h3 className="text-[13px] text-muted">Since the last version</h3>
      <ul>
        {items.map((item) => (
          <li key={item} className="[overflow-wrap:anywhere]">
            {sentence(item)}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Details({ analysis, parts }: { analysis: Analysis; parts: readonly string[] }) {
  return (
    <details className="mt-3 text-muted text-xs">
      <summary className="w-fit rounded py-0.5 tabular-nums hover:text-text">{parts.join(' · ')}</summary>
      {analysis.checked.length > 0 && analysis.status !== 'inconclusive' && (
        <ul className="mt-2 list-disc space-y-1 pl-5">
          {analysis.checked.map((item) => (
            <li key={item}>{sentence(item)}</li>
          ))}
        </ul>
      )}
    </details>
  );
}

/** `Statistics`, or the model with its tokens and cost; then the version and the time taken. */
export function analysisParts(analysis: Analysis): string[] {
  const parts = [made(analysis)];
  if (analysis.started_at && analysis.completed_at)
    parts.push(stepDuration(ms(analysis.completed_at) - ms(analysis.started_at)));
  if (analysis.tokens) {
    const { prompt, completion } = analysis.tokens;
    if (prompt !== null && completion !== null)
      parts.push(`${count(prompt)} tokens in, ${count(completion)} out`);
  }
  if (analysis.cost_usd !== null && analysis.model)
    parts.push(`${money(analysis.cost_usd)}${analysis.cost_estimated ? ' (estimated)' : ''}`);
  parts.push(`version ${analysis.version}`);
  return parts;
}

function made({ engine, model, status }: Analysis): string {
  if (engine === 'llm') return model ?? 'Language model';
  if (status === 'queued' || status === 'running') return 'Still at work';
  if (!model) return 'Statistics, no model used';
  return `Statistics; no answer of ${model} to use`;
}
