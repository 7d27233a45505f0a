/** Resolving asks for what will be looked for next time: the cause and what fixed it. Both may stay empty. */
import { useForm } from 'react-hook-form';
import { actions, useAction } from '../../api/actions';
import { sentenceOf } from '../../api/errors';
import type { Incident } from '../../api/types';
import { useDraft } from '../../components/drafts';
import { Button } from '../../ui/Button';
import { Dialog, DialogActions } from '../../ui/Dialog';
import { FormError, TextArea } from '../../ui/Field';
import { Remark } from '../../ui/Notice';
import { counted } from '../../util/numbers';
import { isConflict, type useMove } from './move';

type Form = { root_cause: string; resolution_summary: string };

type Props = { incident: Incident; onClose: () => void; move: ReturnType<typeof useMove> };

export function Resolve({ incident, onClose, move }: Props) {
  const [cause, setCause] = useDraft(`cause.${incident.id}`);
  const [fix, setFix] = useDraft(`fix.${incident.id}`);
  const resolve = useAction(
    async (form: Form) => {
      const change = {
        ...(form.root_cause.trim() && { root_cause: form.root_cause.trim() }),
        ...(form.resolution_summary.trim() && { resolution_summary: form.resolution_summary.trim() }),
      };
      if (Object.keys(change).length > 0) await actions.changeIncident({ id: incident.id, change });
      const saved = await actions.moveIncident({ id: incident.id, state: 'resolved' });
      setCause('');
      setFix('');
      return saved;
    },
    ['incident', 'incidents', 'steps', 'summary'],
  );
  const { register, handleSubmit } = useForm<Form>({
    defaultValues: {
      root_cause: cause || (incident.root_cause ?? ''),
      resolution_summary: fix || (incident.resolution_summary ?? ''),
    },
  });
  const submit = handleSubmit((form) =>
    resolve.mutate(form, {
      onSuccess: (saved) => {
        move.confirm(saved);
        onClose();
      },
      onError: (error) => {
        if (!isConflict(error)) return;
        void move.explain('resolved', error);
        onClose();
      },
    }),
  );
  return (
    <Dialog open onClose={onClose} title={`Resolve INC-${incident.number}`}>
      <form className="space-y-3" onSubmit={submit}>
        {incident.open_alert_count > 0 && (
          <Remark tone="warn">
            {counted(incident.open_alert_count, 'alert is', 'alerts are')} still firing. Resolving closes the
            incident; a new episode opens another one.
          </Remark>
        )}
        <TextArea
          label="Root cause"
          hint="Shown when something like this happens again."
          {...register('root_cause', { onChange: (event) => setCause(event.target.value) })}
        />
        <TextArea
          label="What fixed it"
          {...register('resolution_summary', { onChange: (event) => setFix(event.target.value) })}
        />
        <FormError>{resolve.error && sentenceOf(resolve.error)}</FormError>
        <DialogActions>
          <Button look="ghost" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary" pending={resolve.isPending}>
            Resolve
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
