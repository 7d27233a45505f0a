/** Making an API key; the key itself is shown once. */
import { useForm } from 'react-hook-form';
import { actions, useAction } from '../../api/actions';
import { sentenceOf } from '../../api/errors';
import { ROLES, type Role } from '../../api/types';
import { reaches, useMe } from '../../components/me';
import { ShownOnce } from '../../components/ShownOnce';
import { Button } from '../../ui/Button';
import { Dialog, DialogActions } from '../../ui/Dialog';
import { FormError, SelectField, TextField } from '../../ui/Field';

const DAY_MS = 86_400_000;
const LIVES = [
  { days: '30', name: '30 days' },
  { days: '365', name: 'a year' },
  { days: '', name: 'until it is revoked' },
];

type Form = { name: string; role: Role; days: string };

export function KeyDialog({ onClose }: { onClose: () => void }) {
  const { project, role: mine } = useMe();
  const create = useAction(actions.createKey, ['apiKeys']);
  const { register, handleSubmit, formState } = useForm<Form>({
    defaultValues: { name: '', role: 'engineer', days: '365' },
  });
  if (create.data?.key) return <Made name={create.data.name} secret={create.data.key} onClose={onClose} />;
  const submit = handleSubmit((form) =>
    create.mutate({
      project: project.id,
      name: form.name.trim(),
      role: form.role,
      ...(form.days && { expires_at: new Date(Date.now() + Number(form.days) * DAY_MS).toISOString() }),
    }),
  );
  return (
    <Dialog
      open
      onClose={onClose}
      title="New API key"
      loses={formState.isDirty ? 'The key is not made yet.' : undefined}
    >
      <form onSubmit={submit} className="space-y-3" noValidate>
        <TextField
          label="What uses it"
          placeholder="deploy pipeline"
          autoFocus
          error={formState.errors.name?.message}
          {...register('name', { validate: (name) => name.trim() !== '' || 'Say what uses it.' })}
        />
        <div className="grid gap-3 sm:grid-cols-2">
          <SelectField label="Role" {...register('role')}>
            {ROLES.filter((role) => role !== 'owner' && reaches(mine, role)).map((role) => (
              <option key={role} value={role}>
                {role}
              </option>
            ))}
          </SelectField>
          <SelectField label="Works for" {...register('days')}>
            {LIVES.map((life) => (
              <option key={life.days} value={life.days}>
                {life.name}
              </option>
            ))}
          </SelectField>
        </div>
        <FormError>{create.error && sentenceOf(create.error)}</FormError>
        <DialogActions>
          <Button look="ghost" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary" pending={create.isPending}>
            Make key
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function Made({ name, secret, onClose }: { name: string; secret: string; onClose: () => void }) {
  return (
    <ShownOnce
      title={`Key for ${name}`}
      description="Copy it now; it is not stored in a form that can be shown again."
      noun="key"
      label="API key"
      text={secret}
      onClose={onClose}
    />
  );
}
