/** Asks before many incidents are resolved at once: how many, what still fires, and what the cause was. */
import type { Incident } from '../../api/types';
import { Button } from '../../ui/Button';
import { Dialog, DialogActions } from '../../ui/Dialog';
import { TextArea } from '../../ui/Field';
import { Remark } from '../../ui/Notice';
import { counted, exact } from '../../util/numbers';
import type { ChangeOf } from './deeds';

/** What is written; it outlives the dialog, so that a failure does not cost it. */
export type Why = { cause: string; fix: string };

type Props = {
  count: number;
  chosen: readonly Incident[];
  why: Why;
  onWhy: (why: Why) => void;
  onResolve: (changeOf: ChangeOf) => void;
  onClose: () => void;
};

export function ResolveSelected({ count, chosen, why, onWhy, onResolve, onClose }: Props) {
  const firing = chosen.filter((one) => one.open_alert_count > 0).length;
  return (
    <Dialog open onClose={onClose} title={`Resolve ${counted(count, 'incident')}?`}>
      <form
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          onResolve(completing(chosen, why));
          onClose();
        }}
      >
        {firing > 0 && (
          <Remark tone="warn">
            {firingWords(firing, count)} Resolving closes them; a new episode opens another incident.
          </Remark>
        )}
        <TextArea
          label="Root cause"
          hint="Written to each that has none yet, and shown when something like this happens again."
          value={why.cause}
          onChange={(event) => onWhy({ ...why, cause: event.target.value })}
        />
        <TextArea
          label="What fixed it"
          value={why.fix}
          onChange={(event) => onWhy({ ...why, fix: event.target.value })}
        />
        <DialogActions>
          <Button look="ghost" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary">
            Resolve {exact(count)}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function firingWords(firing: number, count: number): string {
  if (count === 1) return 'It is still firing.';
  if (firing === count) return 'All of them are still firing.';
  return `${exact(firing)} of them ${firing === 1 ? 'is' : 'are'} still firing.`;
}

/** One text for many incidents replaces none that was written for a single one. */
function completing(chosen: readonly Incident[], why: Why): ChangeOf {
  const cause = why.cause.trim();
  const fix = why.fix.trim();
  const byId = new Map(chosen.map((one) => [one.id, one]));
  return (id) => {
    const known = byId.get(id);
    return {
      ...(cause && !known?.root_cause && { root_cause: cause }),
      ...(fix && !known?.resolution_summary && { resolution_summary: fix }),
    };
  };
}
