/** Merging the selected incidents into one of them. It cannot be undone, so it is asked for in words. */
import { useState } from 'react';
import type { Incident } from '../../api/types';
import { IncidentChoice } from '../../components/IncidentChoice';
import { Button } from '../../ui/Button';
import { Dialog, DialogActions } from '../../ui/Dialog';
import { Remark } from '../../ui/Notice';
import { counted, exact } from '../../util/numbers';

type Props = {
  chosen: readonly Incident[];
  onMerge: (into: Incident) => void;
  onClose: () => void;
};

export function MergeSelected({ chosen, onMerge, onClose }: Props) {
  const choices = chosen.filter(canTakeOver).sort(byWorth);
  const [id, setId] = useState(choices[0]?.id);
  const into = choices.find((one) => one.id === id);
  const others = chosen.length - 1;
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Merge ${counted(chosen.length, 'incident')} into one`}
      description="Alerts, comments and evidence of the others move to the one that is kept; they become resolved and leave the repair times. This can't be undone."
    >
      {choices.length === 0 ? (
        <p className="text-sm">None of them can be kept: each was merged already or is closed for good.</p>
      ) : (
        <fieldset className="max-h-72 min-w-0 overflow-y-auto">
          <legend className="mb-1 font-medium text-[13px]">The incident to keep</legend>
          {choices.map((one) => (
            <IncidentChoice key={one.id} incident={one} on={one.id === id} onChoose={() => setId(one.id)} />
          ))}
        </fieldset>
      )}
      {into && hindrance(into, chosen) && (
        <div className="mt-3">
          <Remark tone="warn">{hindrance(into, chosen)}</Remark>
        </div>
      )}
      <DialogActions>
        <Button look="ghost" onClick={onClose}>
          Cancel
        </Button>
        <Button
          look="danger"
          blocked={into ? hindrance(into, chosen) : 'Choose the incident to keep first.'}
          onClick={() => {
            if (!into) return;
            onMerge(into);
            onClose();
          }}
        >
          {into ? `Merge ${exact(others)} into INC-${into.number}` : 'Merge'}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

function canTakeOver({ merged_into, state }: Incident): boolean {
  return merged_into === null && state !== 'learned';
}

/** Open ones first, then the one that began first: it is the one that people know. */
function byWorth(a: Incident, b: Incident): number {
  return Number(b.open) - Number(a.open) || a.started_at.localeCompare(b.started_at);
}

/** Why the server would refuse: what fires cannot go to what is over. */
function hindrance(into: Incident, chosen: readonly Incident[]): string | undefined {
  const fires = chosen.some((one) => one.id !== into.id && one.open_alert_count > 0);
  if (into.open || !fires) return undefined;
  return `INC-${into.number} is resolved, and alerts of the others still fire. Reopen it first, or keep an open one.`;
}
