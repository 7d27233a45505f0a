/** Asks for what will be looked for next time: the cause and what fixed it. Both may stay empty. */
import { type ReactNode, useState } from 'react';
import { useForm } from 'react-hook-form';
import { actions, useAction } from '../../api/actions';
import { sentenceOf } from '../../api/errors';
import type { Incident } from '../../api/types';
import { useDraft } from '../../components/drafts';
import { Button } from '../../ui/Button';
import { Dialog, DialogActions } from '../../ui/Dialog';
import { FormError, TextArea } from '../../ui/Field';
import { type Cause, causeChange, causeOf } from './cause';

type Props = {
  incident: Incident;
  title: string;
  action: string;
  /** What else is done once the texts are saved. */
  then?: () => Promise<Incident>;
  onDone: (saved: Incident) => void;
  onFailed?: (error: unknown) => void;
  onClose: () => void;
  children?: ReactNode;
};

export function CauseDialog({ incident, title, action, then, onDone, onFailed, onClose, children }: Props) {
  const [cause, setCause] = useDraft(`cause.${incident.id}`);
  const [fix, setFix] = useDraft(`fix.${incident.id}`);
  // As it was when the reader began: a cause that somebody else wrote since is not theirs to clear.
  const [before] = useState(() => causeOf(incident));
  const save = useAction(
    async (form: Cause) => {
      const change = causeChange(form, before);
      const changed = Object.keys(change).length > 0;
      const written = changed ? await actions.changeIncident({ id: incident.id, change }) : incident;
      const saved = then ? await then() : written;
      setCause('');
      setFix('');
      return saved;
    },
    ['incident', 'incidents', 'steps', 'summary'],
  );
  const { register, handleSubmit } = useForm<Cause>({
    defaultValues: {
      root_cause: cause || before.root_cause,
      resolution_summary: fix || before.resolution_summary,
    },
  });
  const submit = handleSubmit((form) =>
    save.mutate(form, { onSuccess: onDone, ...(onFailed && { onError: onFailed }) }),
  );
  return (
    <Dialog open onClose={onClose} title={title}>
      <form className="space-y-3" onSubmit={submit}>
        {children}
        <TextArea
          label="Root cause"
          hint="Shown when something like this happens again."
          {...register('root_cause', { onChange: (event) => setCause(event.target.value) })}
        />
        <TextArea
          label="What fixed it"
          {...register('resolution_summary', { onChange: (event) => setFix(event.target.value) })}
        />
        <FormError>{save.error && sentenceOf(save.error)}</FormError>
        <DialogActions>
          <Button look="ghost" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary" pending={save.isPending}>
            {action}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
