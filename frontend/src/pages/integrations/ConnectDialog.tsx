/** Making an integration: its kind, its name, and where its own API is. */
import { useNavigate } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';
import { actions, useAction } from '../../api/actions';
import { fieldError, formError } from '../../api/errors';
import type { IntegrationKind } from '../../api/types';
import { useMe } from '../../components/me';
import { Button } from '../../ui/Button';
import { Dialog, DialogActions } from '../../ui/Dialog';
import { FormError, TextField } from '../../ui/Field';
import { Segmented } from '../../ui/Segmented';
import { KIND_NAMES, KIND_NOTES, KINDS, URL_EXAMPLES, URL_HINTS } from './kinds';
import { rememberToken } from './tokens';

type Form = { kind: IntegrationKind; name: string; url: string };

export function ConnectDialog({ onClose }: { onClose: () => void }) {
  const { project } = useMe();
  const navigate = useNavigate();
  const create = useAction(actions.createIntegration, ['integrations']);
  const { register, handleSubmit, formState, watch, setValue } = useForm<Form>({
    defaultValues: { kind: 'prometheus', name: '', url: '' },
  });
  const kind = watch('kind');
  const submit = handleSubmit((form) =>
    create.mutate(
      {
        project: project.id,
        kind: form.kind,
        name: form.name.trim() || KIND_NAMES[form.kind],
        ...(form.url.trim() && { url: form.url.trim() }),
      },
      {
        onSuccess: (made) => {
          rememberToken(made);
          onClose();
          void navigate({ to: '/integrations/$id', params: { id: made.id } });
        },
      },
    ),
  );
  return (
    <Dialog
      open
      onClose={onClose}
      title="Connect a source"
      loses={formState.isDirty ? 'The source is not connected yet.' : undefined}
    >
      <form onSubmit={submit} className="space-y-4" noValidate>
        <div>
          <Segmented
            label="Kind"
            value={kind}
            options={KINDS.map((value) => ({ value, label: KIND_NAMES[value] }))}
            onChange={(next) => setValue('kind', next)}
          />
          <p className="mt-2 text-[13px] text-muted">{KIND_NOTES[kind]}</p>
        </div>
        <TextField
          label="Name"
          placeholder={KIND_NAMES[kind]}
          error={fieldError(create.error, 'name')}
          {...register('name')}
        />
        <TextField
          label={`Address of its API${kind === 'prometheus' ? '' : ' (optional)'}`}
          type="url"
          placeholder={URL_EXAMPLES[kind]}
          hint={URL_HINTS[kind]}
          error={formState.errors.url?.message ?? fieldError(create.error, 'url')}
          {...register('url', {
            validate: (url) =>
              url.trim() === '' || /^https?:\/\/\S+$/.test(url.trim()) || 'Use an http or https address.',
          })}
        />
        <FormError>{formError(create.error, ['name', 'url'])}</FormError>
        <DialogActions>
          <Button look="ghost" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary" pending={create.isPending}>
            Create and show the snippet
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
