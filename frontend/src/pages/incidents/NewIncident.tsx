/** Opening an incident by hand. */
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useForm } from 'react-hook-form';
import { actions, useAction } from '../../api/actions';
import { sentenceOf } from '../../api/errors';
import { SEVERITIES, type Severity } from '../../api/types';
import { keepDraft, readDraft } from '../../components/drafts';
import { severityWord } from '../../components/Severity';
import { Button } from '../../ui/Button';
import { Dialog, DialogActions } from '../../ui/Dialog';
import { FormError, SelectField, TextArea, TextField } from '../../ui/Field';

type Form = { title: string; service_name: string; severity: Severity; description: string };

/** Of no project, because a switch in another tab must not cost what is being written. */
const DRAFT = 'new-incident';
const EMPTY: Form = { title: '', service_name: '', severity: 'medium', description: '' };

export function NewIncident({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const create = useAction(actions.createIncident, ['incidents', 'summary']);
  const [kept] = useState(draft);
  const { register, handleSubmit, formState, watch } = useForm<Form>({
    defaultValues: { ...EMPTY, ...kept },
  });
  useEffect(() => {
    const following = watch((form) => keepDraft(DRAFT, isEmpty(form) ? '' : JSON.stringify(form)));
    return () => following.unsubscribe();
  }, [watch]);
  const discard = () => {
    keepDraft(DRAFT, '');
    onClose();
  };
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
          discard();
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
      description={
        kept
          ? 'What you wrote before is still here.'
          : 'For trouble that no alert has reported. It starts as detected.'
      }
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
          <Button look="ghost" onClick={discard}>
            {kept || formState.isDirty ? 'Discard' : 'Cancel'}
          </Button>
          <Button type="submit" look="primary" pending={create.isPending}>
            Open incident
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function draft(): Partial<Form> | null {
  try {
    return JSON.parse(readDraft(DRAFT) ?? 'null');
  } catch {
    return null;
  }
}

function isEmpty({ title, service_name, description }: Partial<Form>): boolean {
  return !title?.trim() && !service_name?.trim() && !description?.trim();
}
