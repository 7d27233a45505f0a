/** Was the theory right? The answer is stored, and calibrates the next ones. */
import { actions, useAction } from '../../api/actions';
import { sentenceOf } from '../../api/errors';
import type { Hypothesis, Verdict } from '../../api/types';
import { useBlocked } from '../../components/me';
import { Instant } from '../../components/Time';
import { Button } from '../../ui/Button';
import { cx } from '../../ui/cx';
import { toast } from '../../ui/Toast';

const CHOICES: readonly { verdict: Verdict; label: string }[] = [
  { verdict: 'accepted', label: 'Right' },
  { verdict: 'rejected', label: 'Wrong' },
  { verdict: 'uncertain', label: 'Unsure' },
];

const WORD: Record<Verdict, string> = { accepted: 'right', rejected: 'wrong', uncertain: 'uncertain' };

type Feedback = NonNullable<Hypothesis['feedback']>;

export function FeedbackButtons({ hypothesis }: { hypothesis: Hypothesis }) {
  const give = useAction(actions.giveFeedback, ['hypotheses', 'steps', 'aiAnalytics']);
  const blocked = useBlocked('engineer');
  const given = hypothesis.feedback;
  return (
    <>
      <fieldset className="flex flex-wrap items-center gap-1.5">
        <legend className="sr-only">Was this right?</legend>
        <span aria-hidden="true" className="mr-1 text-[13px] text-muted">
          Was this right?
        </span>
        {CHOICES.map(({ verdict, label }) => (
          <Button
            key={verdict}
            size="sm"
            aria-pressed={given?.verdict === verdict}
            pending={give.isPending && give.variables.verdict === verdict}
            blocked={blocked}
            className={cx('px-3', given?.verdict === verdict && '!border-focus !bg-tint text-link')}
            onClick={() =>
              give.mutate(
                { id: hypothesis.incident_id, hypothesis: hypothesis.id, verdict },
                { onError: (error) => toast({ title: sentenceOf(error), tone: 'bad' }) },
              )
            }
          >
            {label}
          </Button>
        ))}
      </fieldset>
      <p role="status" className="basis-full text-[13px] text-muted empty:hidden">
        {given && <Saved feedback={given} service={hypothesis.suspected_service} />}
      </p>
    </>
  );
}

/** What was said, where nothing can be. */
export function Said({ feedback }: { feedback: Feedback | null }) {
  if (!feedback) return null;
  return (
    <p className="basis-full text-[13px] text-muted">
      <bdi>{feedback.by}</bdi> called this {WORD[feedback.verdict]}
      <OnVersion feedback={feedback} />, <Instant at={feedback.at} />.
    </p>
  );
}

function OnVersion({ feedback }: { feedback: Feedback }) {
  return feedback.from_version === null ? null : ` in version ${feedback.from_version}`;
}

/** What became of the answer: it is kept, whose it is, and what it changes. */
function Saved({ feedback, service }: { feedback: Feedback; service: string | null }) {
  return (
    <>
      <bdi>{feedback.by}</bdi> called this {WORD[feedback.verdict]}
      <OnVersion feedback={feedback} />, saved <Instant at={feedback.at} />.{' '}
      {feedback.verdict === 'uncertain' ? (
        'It changes no ranking.'
      ) : service ? (
        <>
          In later incidents like this one, <bdi>{service}</bdi> counts{' '}
          {feedback.verdict === 'accepted' ? 'more' : 'less'} as the cause; this ranking stays as it was.
        </>
      ) : (
        'It counts in the share of right theories under Analytics.'
      )}
    </>
  );
}
