/** Choosing another password; every other session ends with it. */
import { useForm } from 'react-hook-form';
import { actions, useAction } from '../../api/actions';
import { fieldError, formError } from '../../api/errors';
import { useMe } from '../../components/me';
import { enough, PASSWORD_HINT } from '../../components/password';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { FormError, TextField } from '../../ui/Field';
import { toast } from '../../ui/Toast';

type Form = { old_password: string; new_password: string };

export function Password() {
  const { user } = useMe();
  const change = useAction(actions.changePassword, ['sessions']);
  const { register, handleSubmit, formState, reset } = useForm<Form>({
    defaultValues: { old_password: '', new_password: '' },
  });
  const error = (field: keyof Form) => formState.errors[field]?.message ?? fieldError(change.error, field);
  const submit = handleSubmit((form) =>
    change.mutate(form, {
      onSuccess: () => {
        reset();
        toast({ title: 'Your password is changed. Your other sessions have ended.' });
      },
    }),
  );
  return (
    <Card title="Password">
      <form onSubmit={submit} className="max-w-sm space-y-3" noValidate>
        <input type="text" autoComplete="username" value={user.email} readOnly hidden />
        <TextField
          label="The password you have"
          type="password"
          autoComplete="current-password"
          error={error('old_password')}
          {...register('old_password', { required: 'Enter the password you have.' })}
        />
        <TextField
          label="New password"
          type="password"
          autoComplete="new-password"
          hint={PASSWORD_HINT}
          error={error('new_password')}
          {...register('new_password', enough)}
        />
        <FormError>{formError(change.error, ['old_password', 'new_password'])}</FormError>
        <Button type="submit" look="primary" pending={change.isPending}>
          Change password
        </Button>
      </form>
    </Card>
  );
}
