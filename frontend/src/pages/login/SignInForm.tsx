/** E-mail and password. */
import { useForm } from 'react-hook-form';
import { actions, useAction } from '../../api/actions';
import { sentenceOf } from '../../api/errors';
import { Button } from '../../ui/Button';
import { FormError, TextField } from '../../ui/Field';
import { useEnter } from './enter';

type Form = { email: string; password: string };

export function SignInForm({ next }: { next: string | undefined }) {
  const signIn = useAction(actions.login, []);
  const enter = useEnter();
  const { register, handleSubmit, formState } = useForm<Form>({ defaultValues: { email: '', password: '' } });
  return (
    <form
      className="space-y-3"
      noValidate
      onSubmit={handleSubmit((form) => signIn.mutate(form, { onSuccess: () => enter(next) }))}
    >
      <TextField
        label="E-mail"
        type="email"
        autoComplete="username"
        autoFocus
        error={formState.errors.email?.message}
        {...register('email', { required: 'Enter your e-mail address.' })}
      />
      <TextField
        label="Password"
        type="password"
        autoComplete="current-password"
        error={formState.errors.password?.message}
        {...register('password', { required: 'Enter your password.' })}
      />
      <FormError>{signIn.error && sentenceOf(signIn.error)}</FormError>
      <Button type="submit" look="primary" size="lg" className="w-full" pending={signIn.isPending}>
        Sign in
      </Button>
    </form>
  );
}
