/** Making an organisation, its first project and its owner. */
import { useForm } from 'react-hook-form';
import { actions, useAction } from '../../api/actions';
import { fieldError, formError } from '../../api/errors';
import { enough, PASSWORD_HINT } from '../../components/password';
import { Button } from '../../ui/Button';
import { FormError, TextField } from '../../ui/Field';
import { filled, useEnter } from './enter';

type Form = { full_name: string; tenant_name: string; email: string; password: string };

export function RegisterForm({ next }: { next: string | undefined }) {
  const create = useAction(actions.register, []);
  const enter = useEnter();
  const { register, handleSubmit, formState } = useForm<Form>({
    defaultValues: { full_name: '', tenant_name: '', email: '', password: '' },
  });
  const error = (field: keyof Form) => formState.errors[field]?.message ?? fieldError(create.error, field);
  return (
    <form
      className="space-y-3"
      noValidate
      onSubmit={handleSubmit((form) => create.mutate(form, { onSuccess: () => enter(next) }))}
    >
      <TextField
        label="Your name"
        autoComplete="name"
        autoFocus
        error={error('full_name')}
        {...register('full_name', filled('your name'))}
      />
      <TextField
        label="Organisation"
        autoComplete="organization"
        error={error('tenant_name')}
        {...register('tenant_name', filled('the name of your organisation'))}
      />
      <TextField
        label="E-mail"
        type="email"
        autoComplete="username"
        error={error('email')}
        {...register('email', filled('your e-mail address'))}
      />
      <TextField
        label="Password"
        type="password"
        autoComplete="new-password"
        hint={PASSWORD_HINT}
        error={error('password')}
        {...register('password', enough)}
      />
      <FormError>{formError(create.error, ['full_name', 'tenant_name', 'email', 'password'])}</FormError>
      <Button type="submit" look="primary" size="lg" className="w-full" pending={create.isPending}>
        Create account
      </Button>
    </form>
  );
}
