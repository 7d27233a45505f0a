/** Was the theory right? The answer is stored, and calibrates the next ones. */
import { actions, useAction } from '../../api/actions';
import { sentenceOf } from '../../api/errors';
import type { Hypothesis, Verdict } from '../../api/types';
import { useBlocked } from '../../components/me';
import { TimeAgo } from '../../components/Time';
import { Button } from '../../ui/Button';
import { cx } from '../../ui/cx';
import { toast } from '../../ui/Toast';

const CHOICES: readonly { verdict: Verdict; label: string }[] = [
  { verdict: 'accepted', label: 'Right' },
  { verdict: 'rejected', label: 'Wrong' },
  { verdict: 'uncertain', label: 'Unsure' },
];

export function FeedbackButtons({ hypothesis }: { hypothesis: Hypothesis }) {
  const give = useAction(actions.giveFeedback, ['hypotheses', 'steps', 'aiAnalytics']);
  const blocked = useBlocked('engineer');
  const given = hypothesis.feedback;
  return (
    <fieldset className="flex flex-wrap items-center gap-1.5">
      <legend className="sr-only">Was this right?</legend>
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
      {given && (
        <span className="ml-1.5 text-muted text-xs">
          said {given.by}, <TimeAgo at={given.at} suffix=" ago" />
        </span>
      )}
    </fieldset>
  );
}
