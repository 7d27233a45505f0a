/** Merging: this incident's alerts and comments move to another one. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { actions, useAction } from '../../api/actions';
import { q } from '../../api/endpoints';
import { sentenceOf } from '../../api/errors';
import type { Incident } from '../../api/types';
import { useDebounced } from '../../components/debounced';
import { ErrorState } from '../../components/ErrorState';
import { IncidentChoice } from '../../components/IncidentChoice';
import { Button } from '../../ui/Button';
import { Dialog, DialogActions } from '../../ui/Dialog';
import { FormError, TextField } from '../../ui/Field';
import { Skeleton } from '../../ui/Notice';

export function Merge({ incident, onClose }: { incident: Incident; onClose: () => void }) {
  const [words, setWords] = useState('');
  const [into, setInto] = useState<Incident | null>(null);
  const navigate = useNavigate();
  const asked = useDebounced(words.trim());
  const found = useQuery({ ...q.incidentsByText(asked), placeholderData: keepPreviousData });
  const merge = useAction(actions.merge, ['incident', 'incidents', 'steps', 'summary', 'alerts']);
  const choices = (found.data?.items ?? []).filter((one) => one.id !== incident.id && !one.merged_into);
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Merge INC-${incident.number} into another incident`}
      description="Its alerts, comments and evidence move there, it becomes resolved and leaves the repair times. This can't be undone."
    >
      <TextField
        label="Find the incident to keep"
        placeholder="Title or service"
        value={words}
        autoFocus
        onChange={(event) => setWords(event.target.value)}
      />
      <fieldset className="mt-3 max-h-64 min-w-0 overflow-y-auto">
        <legend className="sr-only">Incident to keep</legend>
        {found.isPending && <Skeleton rows={3} />}
        {found.isError && <ErrorState error={found.error} onRetry={() => void found.refetch()} />}
        {found.isSuccess && choices.length === 0 && (
          <p className="py-3 text-muted text-sm">No other incident matches.</p>
        )}
        {(found.isError ? [] : choices).map((one) => (
          <IncidentChoice
            key={one.id}
            incident={one}
            on={into?.id === one.id}
            onChoose={() => setInto(one)}
          />
        ))}
      </fieldset>
      <FormError>{merge.error && sentenceOf(merge.error)}</FormError>
      <DialogActions>
        <Button look="ghost" onClick={onClose}>
          Cancel
        </Button>
        <Button
          look="danger"
          pending={merge.isPending}
          blocked={into ? undefined : 'Choose the incident to keep first.'}
          onClick={() =>
            into &&
            merge.mutate(
              { id: incident.id, into: into.id },
              {
                onSuccess: () => {
                  onClose();
                  void navigate({ to: '/incidents/$ref', params: { ref: `INC-${into.number}` } });
                },
              },
            )
          }
        >
          {into ? `Merge into INC-${into.number}` : 'Merge'}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
