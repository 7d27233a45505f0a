/** Inviting someone by e-mail address and role; the link is shown once. */
import { useForm } from 'react-hook-form';
import { actions, useAction } from '../../api/actions';
import { ApiError, sentenceOf } from '../../api/errors';
import { ROLES, type Role } from '../../api/types';
import { reaches, useMe } from '../../components/me';
import { ShownOnce } from '../../components/ShownOnce';
import { Button } from '../../ui/Button';
import { Dialog, DialogActions } from '../../ui/Dialog';
import { FormError, SelectField, TextField } from '../../ui/Field';

type Form = { email: string; role: Role };

export function InviteDialog({ onClose }: { onClose: () => void }) {
  const { role: mine, project } = useMe();
  const invite = useAction(actions.invite, ['invitations']);
  const { register, handleSubmit, formState } = useForm<Form>({
    defaultValues: { email: '', role: 'engineer' },
  });
  const refused =
    invite.error instanceof ApiError
      ? invite.error.fields.find((one) => one.field === 'email')?.message
      : undefined;
  if (invite.data?.link)
    return <Invited email={invite.data.email} link={invite.data.link} onClose={onClose} />;
  return (
    <Dialog open onClose={onClose} title={`Invite to ${project.name}`}>
      <form
        className="space-y-3"
        noValidate
        onSubmit={handleSubmit((form) => invite.mutate({ email: form.email.trim(), role: form.role }))}
      >
        <TextField
          label="E-mail"
          type="email"
          autoFocus
          error={formState.errors.email?.message ?? refused}
          {...register('email', {
            validate: (email) => /.+@.+/.test(email) || 'Enter an e-mail address.',
          })}
        />
        <SelectField label="Role" {...register('role')}>
          {ROLES.filter((role) => reaches(mine, role)).map((role) => (
            <option key={role} value={role}>
              {role}
            </option>
          ))}
        </SelectField>
        <FormError>{invite.error && !refused && sentenceOf(invite.error)}</FormError>
        <DialogActions>
          <Button look="ghost" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary" pending={invite.isPending}>
            Invite
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function Invited({ email, link, onClose }: { email: string; link: string; onClose: () => void }) {
  return (
    <ShownOnce
      title={`${email} is invited`}
      description="Send them this link. It works once, and it is shown only now."
      noun="link"
      label="invitation link"
      text={link}
      onClose={onClose}
    />
  );
}
