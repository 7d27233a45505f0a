/** Changing what people may change: title, severity, service, owner, description, and why it happened. */
import { useQuery } from '@tanstack/react-query';
import { useForm } from 'react-hook-form';
import { actions, useAction } from '../../api/actions';
import { q } from '../../api/endpoints';
import { sentenceOf } from '../../api/errors';
import { type Incident, SEVERITIES, type Severity } from '../../api/types';
import { useMe } from '../../components/me';
import { severityWord } from '../../components/Severity';
import { Button } from '../../ui/Button';
import { Dialog, DialogActions } from '../../ui/Dialog';
import { FormError, SelectField, TextArea, TextField } from '../../ui/Field';
import { type Cause, causeChange, causeOf } from './cause';

type Form = Cause & {
  title: string;
  severity: Severity;
  service_name: string;
  assigned_to: string;
  description: string;
};

export function Edit({ incident, onClose }: { incident: Incident; onClose: () => void }) {
  const { project } = useMe();
  const members = useQuery(q.members(project.id));
  const save = useAction(actions.changeIncident, ['incident', 'incidents', 'steps', 'summary']);
  const { register, handleSubmit, formState } = useForm<Form>({
    values: {
      title: incident.title,
      severity: incident.severity,
      service_name: incident.service_name ?? '',
      assigned_to: incident.assigned_to ?? '',
      description: incident.description,
      ...causeOf(incident),
    },
    resetOptions: { keepDirtyValues: true },
  });
  const submit = handleSubmit((form) => {
    const dirty = formState.dirtyFields;
    const change = {
      ...(dirty.title && { title: form.title.trim() }),
      ...(dirty.severity && { severity: form.severity }),
      ...(dirty.service_name && { service_name: form.service_name.trim() || null }),
      ...(dirty.assigned_to && { assigned_to: form.assigned_to || null }),
      ...(dirty.description && { description: form.description }),
      ...((dirty.root_cause || dirty.resolution_summary) && causeChange(form, causeOf(incident))),
    };
    if (Object.keys(change).length === 0) onClose();
    else save.mutate({ id: incident.id, change }, { onSuccess: onClose });
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Edit INC-${incident.number}`}
      loses={formState.isDirty ? 'Your changes are not saved.' : undefined}
    >
      <form onSubmit={submit} className="space-y-3" noValidate>
        <TextField
          label="Title"
          error={formState.errors.title?.message}
          {...register('title', { validate: (title) => title.trim() !== '' || 'A title is needed.' })}
        />
        <div className="grid gap-3 sm:grid-cols-2">
          <SelectField
            label="Severity"
            hint="Your choice stays, whatever the alerts say."
            {...register('severity')}
          >
            {SEVERITIES.map((severity) => (
              <option key={severity} value={severity}>
                {severityWord(severity)}
              </option>
            ))}
          </SelectField>
          <TextField label="Service" {...register('service_name')} />
        </div>
        <SelectField label="Owner" {...register('assigned_to')}>
          <option value="">Nobody</option>
          {incident.assigned_to &&
            !members.data?.items.some((one) => one.user_id === incident.assigned_to) && (
              <option value={incident.assigned_to}>{incident.assigned_to_name ?? 'Someone'}</option>
            )}
          {members.data?.items.map((member) => (
            <option key={member.user_id} value={member.user_id}>
              {member.full_name}
            </option>
          ))}
        </SelectField>
        <TextArea label="Description" rows={4} {...register('description')} />
        {(!incident.open || incident.root_cause || incident.resolution_summary) && (
          <>
            <TextArea label="Root cause" {...register('root_cause')} />
            <TextArea label="What fixed it" {...register('resolution_summary')} />
          </>
        )}
        <FormError>{save.error && sentenceOf(save.error)}</FormError>
        <DialogActions>
          <Button look="ghost" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary" pending={save.isPending}>
            Save
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
