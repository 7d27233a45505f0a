/** Accepting an invitation: `/invite#TOKEN`. */
import { useState } from 'react';
import { useForm } from 'react-hook-form';
import { actions, useAction } from '../../api/actions';
import { fieldError, formError } from '../../api/errors';
import { enough, PASSWORD_HINT } from '../../components/password';
import { Button } from '../../ui/Button';
import { FormError, TextField } from '../../ui/Field';
import { filled, takeFragment, useEnter } from './enter';
import { Frame } from './Frame';

type Form = { full_name: string; password: string };

export default function InvitePage() {
  const [token] = useState(takeFragment);
  const accept = useAction(actions.acceptInvitation, []);
  const enter = useEnter();
  const { register, handleSubmit, formState } = useForm<Form>({
    defaultValues: { full_name: '', password: '' },
  });
  const error = (field: keyof Form) => formState.errors[field]?.message ?? fieldError(accept.error, field);
  if (!token)
    return (
      <Frame
        title="This link is not complete"
        lead="Open the invitation exactly as you received it, with everything after the # sign."
      >
        <a href="/login" className="text-link text-sm hover:underline">
          Go to sign-in
        </a>
      </Frame>
    );
  return (
    <Frame title="You are invited" lead="Choose a password and you are in.">
      <form
        className="space-y-3"
        noValidate
        onSubmit={handleSubmit((form) => accept.mutate({ ...form, token }, { onSuccess: () => enter() }))}
      >
        <TextField
          label="Your name"
          autoComplete="name"
          autoFocus
          error={error('full_name')}
          {...register('full_name', filled('your name'))}
        />
        <TextField
          label="Password"
          type="password"
          autoComplete="new-password"
          hint={PASSWORD_HINT}
          error={error('password')}
          {...register('password', enough)}
        />
        <FormError>{formError(accept.error, ['full_name', 'password'])}</FormError>
        <Button type="submit" look="primary" size="lg" className="w-full" pending={accept.isPending}>
          Join
        </Button>
      </form>
    </Frame>
  );
}
