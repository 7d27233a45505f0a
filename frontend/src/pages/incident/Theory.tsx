/** One theory: its claim, what speaks for and against it, what to check next, and whether it was right. */
import type { Evidence, Hypothesis, Incident } from '../../api/types';
import { CopyButton } from '../../ui/Copy';
import { cx } from '../../ui/cx';
import { significant } from '../../util/numbers';
import { EvidenceRow } from './EvidenceRow';
import { FeedbackButtons, Said } from './FeedbackButtons';
import { WithCode } from './WithCode';

const WORDS_BEFORE_MORE = 60;

type Props = {
  hypothesis: Hypothesis;
  evidence: readonly Evidence[];
  incident: Incident;
  minor?: boolean;
  /** Of an earlier version: nobody judges it any more. */
  readOnly?: boolean;
};

export function Theory({ hypothesis, evidence, incident, minor = false, readOnly = false }: Props) {
  const find = (ids: readonly string[]) => ids.flatMap((id) => evidence.find((one) => one.id === id) ?? []);
  const supporting = find(hypothesis.supporting_evidence);
  const contradicting = find(hypothesis.contradicting_evidence);
  return (
    <article aria-label={hypothesis.claim}>
      {!minor && (
        <p
          className={cx(
            'font-medium text-base leading-6 [overflow-wrap:anywhere]',
            hypothesis.feedback?.verdict === 'rejected' && 'text-muted line-through',
          )}
        >
          {hypothesis.claim}
        </p>
      )}
      <Description text={hypothesis.description} />
      {(supporting.length > 0 || contradicting.length > 0) && (
        <ul className="mt-3 border-hairline border-t">
          {supporting.map((one) => (
            <EvidenceRow key={one.id} evidence={one} side="for" incident={incident} />
          ))}
          {contradicting.map((one) => (
            <EvidenceRow key={one.id} evidence={one} side="against" incident={incident} />
          ))}
        </ul>
      )}
      {contradicting.length === 0 && hypothesis.description.includes('Against it:') && (
        <p className="mt-2 text-muted text-xs">
          What speaks against it comes from the ranking; no query of its own stands behind it.
        </p>
      )}
      {hypothesis.next_checks.length > 0 && (
        <div className="mt-3">
          <h3 className="mb-1 text-[13px] text-muted">Check next</h3>
          <ol className="space-y-1 text-sm">
            {hypothesis.next_checks.map((check) => (
              <li key={check} className="flex items-center gap-2">
                <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">
                  <WithCode text={check} />
                </span>
                {commandIn(check) && <CopyButton text={commandIn(check) ?? ''} />}
              </li>
            ))}
          </ol>
        </div>
      )}
      <div className="mt-4 flex flex-wrap items-center gap-x-4 gap-y-2">
        {readOnly ? <Said feedback={hypothesis.feedback} /> : <FeedbackButtons hypothesis={hypothesis} />}
        <details className="text-muted text-xs">
          <summary className="w-fit rounded hover:text-text">Details</summary>
          <p className="mt-1 tabular-nums">
            {scoreText(hypothesis)}
            {hypothesis.suspected_metric && (
              <>
                ; metric{' '}
                <code className="font-mono">
                  <bdi>{hypothesis.suspected_metric}</bdi>
                </code>
              </>
            )}
            {hypothesis.suspected_service && (
              <>
                ; service <bdi>{hypothesis.suspected_service}</bdi>
              </>
            )}
          </p>
        </details>
      </div>
    </article>
  );
}

/** The score, with its range where there is one. */
export function scoreText(
  one: Pick<Hypothesis, 'confidence_score' | 'confidence_lower' | 'confidence_upper'>,
) {
  const [score, lower, upper] = [one.confidence_score, one.confidence_lower, one.confidence_upper].map(
    (part) => significant(part, 2),
  );
  return lower === upper ? `Score ${score}` : `Score ${score}, likely between ${lower} and ${upper}`;
}

function Description({ text }: { text: string }) {
  if (!text) return null;
  const words = text.split(/\s+/);
  if (words.length <= WORDS_BEFORE_MORE)
    return <p className="mt-1 whitespace-pre-line text-muted text-sm [overflow-wrap:anywhere]">{text}</p>;
  return (
    <details className="group mt-1 text-muted text-sm [overflow-wrap:anywhere]">
      <summary className="list-none">
        <span className="group-open:hidden">
          {words.slice(0, WORDS_BEFORE_MORE).join(' ')}… <span className="text-link">more</span>
        </span>
        <span className="hidden text-link group-open:inline">less</span>
      </summary>
      <p className="whitespace-pre-line">{text}</p>
    </details>
  );
}

/** What of a check can be run as it is: the code in it, or all of it when it is a command. */
function commandIn(check: string): string | null {
  const code = /`([^`]+)`/.exec(check)?.[1];
  if (code) return code;
  return /^(kubectl|curl|promtool|amtool|helm|docker|systemctl|journalctl|psql|redis-cli|ssh)\s/.test(check)
    ? check
    : null;
}
