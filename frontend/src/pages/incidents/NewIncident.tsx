/** Opening an incident by hand. */
import { useNavigate } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';
import { actions, useAction } from '../../api/actions';
import { sentenceOf } from '../../api/errors';
import { SEVERITIES, type Severity } from '../../api/types';
import { severityWord } from '../../components/Severity';
import { Button } from '../../ui/Button';
import { Dialog, DialogActions } from '../../ui/Dialog';
import { FormError, SelectField, TextArea, TextField } from '../../ui/Field';

type Form = { title: string; service_name: string; severity: Severity; description: string };

export function NewIncident({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const create = useAction(actions.createIncident, ['incidents', 'summary']);
  const { register, handleSubmit, formState } = useForm<Form>({
    defaultValues: { title: '', service_name: '', severity: 'medium', description: '' },
  });
  const submit = handleSubmit((form) =>
    create.mutate(
      {
        title: form.title.trim(),
        severity: form.severity,
        ...(form.service_name.trim() && { service_name: form.service_name.trim() }),
        ...(form.description.trim() && { description: form.description.trim() }),
      },
      {
        onSuccess: (made) => {
          onClose();
          void navigate({ to: '/incidents/$ref', params: { ref: `INC-${made.number}` } });
        },
      },
    ),
  );
  return (
    <Dialog
      open
      onClose={onClose}
      title="New incident"
      description="For trouble that no alert has reported. It starts as detected."
    >
      <form onSubmit={submit} className="space-y-3" noValidate>
        <TextField
          label="What is wrong"
          placeholder="Checkout is slow for customers in Europe"
          autoFocus
          error={formState.errors.title?.message}
          {...register('title', {
            validate: (title) => title.trim() !== '' || 'Say in a few words what is wrong.',
          })}
        />
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField label="Service" placeholder="checkout-api" {...register('service_name')} />
          <SelectField label="Severity" {...register('severity')}>
            {SEVERITIES.map((severity) => (
              <option key={severity} value={severity}>
                {severityWord(severity)}
              </option>
            ))}
          </SelectField>
        </div>
        <TextArea label="Description" rows={4} {...register('description')} />
        <FormError>{create.error && sentenceOf(create.error)}</FormError>
        <DialogActions>
          <Button look="ghost" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary" pending={create.isPending}>
            Open incident
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
