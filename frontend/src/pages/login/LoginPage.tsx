/** Sign-in, and the registration of the first visitor. */
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { q } from '../../api/endpoints';
import { ErrorState } from '../../components/ErrorState';
import { Skeleton } from '../../ui/Notice';
import { Frame } from './Frame';
import { RegisterForm } from './RegisterForm';
import { SignInForm } from './SignInForm';

export default function LoginPage() {
  const { next } = useSearch({ from: '/login' });
  const setup = useQuery(q.setup());
  const [registering, setRegistering] = useState(false);
  if (setup.isPending)
    return (
      <Frame title="Sign in">
        <Skeleton rows={4} />
      </Frame>
    );
  if (setup.isError)
    return (
      <Frame title="Sign in">
        <ErrorState error={setup.error} onRetry={() => void setup.refetch()} />
      </Frame>
    );
  const { can_register, registration } = setup.data;
  const first = can_register && registration === 'first';
  if (first || (can_register && registering))
    return (
      <Frame
        title={first ? 'Welcome. You are the first here' : 'Create an account'}
        lead={
          first
            ? 'Your account becomes the owner of this installation. After you, people come by invitation.'
            : 'You become the owner of a new organisation.'
        }
      >
        <RegisterForm next={next} />
        {!first && (
          <SwitchLine
            text="Already have an account?"
            action="Sign in"
            onClick={() => setRegistering(false)}
          />
        )}
      </Frame>
    );
  return (
    <Frame title="Sign in">
      <SignInForm next={next} />
      {can_register ? (
        <SwitchLine text="New here?" action="Create an account" onClick={() => setRegistering(true)} />
      ) : (
        <p className="mt-4 text-center text-[13px] text-muted">
          New people come by invitation from an admin.
        </p>
      )}
    </Frame>
  );
}

function SwitchLine({ text, action, onClick }: { text: string; action: string; onClick: () => void }) {
  return (
    <p className="mt-4 text-center text-[13px] text-muted">
      {text}{' '}
      <button type="button" onClick={onClick} className="rounded font-medium text-link hover:underline">
        {action}
      </button>
    </p>
  );
}
