/** Making a channel: its kind, where it sends to and what it is told. A signing secret is shown once. */
import { useNavigate } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';
import { actions, useAction } from '../../api/actions';
import { formError } from '../../api/errors';
import type { Channel } from '../../api/types';
import { useMe } from '../../components/me';
import { Button } from '../../ui/Button';
import { Dialog, DialogActions } from '../../ui/Dialog';
import { FormError } from '../../ui/Field';
import { Segmented } from '../../ui/Segmented';
import { ChannelFields } from './ChannelFields';
import { type ChannelForm, FIELDS, NEW_FORM, newChannel } from './form';
import { KIND_NAMES, KIND_NOTES, KINDS } from './kinds';
import { SigningSecret } from './SigningSecret';

export function AddChannel({ onClose }: { onClose: () => void }) {
  const { project } = useMe();
  const navigate = useNavigate();
  const create = useAction(actions.createChannel, ['channels']);
  const form = useForm<ChannelForm>({ defaultValues: NEW_FORM });
  const kind = form.watch('kind');
  const go = (made: Channel) => {
    onClose();
    void navigate({ to: '/notifications/$id', params: { id: made.id } });
  };
  const made = create.data;
  if (made?.signing_secret)
    return <SigningSecret name={made.name} secret={made.signing_secret} onClose={() => go(made)} />;
  const submit = form.handleSubmit((typed) =>
    create.mutate(
      { project: project.id, channel: newChannel(typed) },
      { onSuccess: (one) => !one.signing_secret && go(one) },
    ),
  );
  return (
    <Dialog
      open
      onClose={onClose}
      title="Add a channel"
      loses={form.formState.isDirty ? 'The channel is not added yet.' : undefined}
    >
      <form onSubmit={submit} className="space-y-4" noValidate>
        <div>
          <Segmented
            label="Kind"
            value={kind}
            options={KINDS.map((value) => ({ value, label: KIND_NAMES[value] }))}
            onChange={(next) => {
              create.reset();
              form.clearErrors();
              form.setValue('url', '');
              form.setValue('kind', next, { shouldDirty: true });
            }}
          />
          <p className="mt-2 text-[13px] text-muted">{KIND_NOTES[kind]}</p>
        </div>
        <ChannelFields form={form} refused={create.error} />
        <FormError>{formError(create.error, FIELDS)}</FormError>
        <DialogActions>
          <Button look="ghost" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary" pending={create.isPending}>
            Add the channel
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
