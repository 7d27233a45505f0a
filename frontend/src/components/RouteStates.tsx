/** What stands in for a page: while it loads, when it failed, when there is none. */
import { useQueryClient } from '@tanstack/react-query';
import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import { Compass, FolderX } from 'lucide-react';
import { useEffect } from 'react';
import { q } from '../api/endpoints';
import { ApiError } from '../api/errors';
import { Button, buttonClass } from '../ui/Button';
import { EmptyState, Skeleton } from '../ui/Notice';
import { ErrorState } from './ErrorState';
import { MissingCode, reloadOnce } from './lazyPage';
import { PageBody, PageHeader, PageTitle } from './PageHeader';
import type { Outage } from './retry';
import { useSignOut } from './signOut';
import { useTitle } from './title';

export function RoutePending() {
  return (
    <main className="flex-1 p-6">
      <Skeleton rows={6} className="max-w-xl" />
    </main>
  );
}

/** Inside the frame, whose navigation stays. */
export function PageError(props: ErrorComponentProps) {
  return (
    <>
      <PageHeader title={<PageTitle>This page could not be loaded</PageTitle>} />
      <PageBody>
        <Failure {...props} />
      </PageBody>
    </>
  );
}

/** When there is no frame either, and with it no other way out. */
export function RouteError(props: ErrorComponentProps) {
  const error: unknown = props.error;
  if (error instanceof ApiError && error.forbidden) return <NotLetIn error={error} />;
  return (
    <main className="flex-1">
      <h1 className="sr-only">This page could not be loaded</h1>
      <Failure {...props} />
    </main>
  );
}

/** For who is signed in and has no project, as after they were taken out of the last one. */
function NotLetIn({ error }: { error: ApiError }) {
  useTitle('No project');
  const router = useRouter();
  const client = useQueryClient();
  const signOut = useSignOut();
  const lookAgain = () => {
    client.removeQueries({ queryKey: q.me().queryKey });
    void router.invalidate();
  };
  return (
    <main className="flex-1">
      <EmptyState
        icon={<FolderX className="size-5" aria-hidden="true" />}
        title="You are signed in, but no project lets you in"
        action={
          <div className="flex flex-wrap justify-center gap-2">
            <Button look="primary" onClick={signOut}>
              Sign out
            </Button>
            <Button onClick={lookAgain}>Look again</Button>
          </div>
        }
      >
        <p>{error.message}</p>
        <p className="mt-1.5">
          Ask an owner or admin of your team to add you to a project under Settings, Members; then look again.
          Or sign out and come back with another account.
        </p>
      </EmptyState>
    </main>
  );
}

/** The router makes the failed page anew with every try, so this is kept outside. */
const outage: Outage = { failures: 0, failedAt: 0 };

function Failure({ error }: ErrorComponentProps) {
  const router = useRouter();
  const old = (error as unknown) instanceof MissingCode;
  useEffect(() => {
    if (old) reloadOnce();
  }, [old]);
  const retry = () => (old ? location.reload() : void router.invalidate());
  return <ErrorState error={error} onRetry={retry} outage={outage} />;
}

export function NotFound() {
  useTitle('Not found');
  return (
    <main id="main" tabIndex={-1} className="flex-1">
      <h1 className="sr-only">Not found</h1>
      <EmptyState
        icon={<Compass className="size-5" aria-hidden="true" />}
        title="There is nothing at this address"
        action={
          <Link to="/incidents" className={buttonClass('secondary')}>
            Go to incidents
          </Link>
        }
      >
        The link may be mistyped, or it belongs to another project.
      </EmptyState>
    </main>
  );
}
