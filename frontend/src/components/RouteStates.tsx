/** What stands in for a page: while it loads, when it failed, when there is none. */
import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { useEffect } from 'react';
import { buttonClass } from '../ui/Button';
import { EmptyState, Skeleton } from '../ui/Notice';
import { ErrorState } from './ErrorState';
import { MissingCode, reloadOnce } from './lazyPage';
import { PageBody, PageHeader, PageTitle } from './PageHeader';
import type { Outage } from './retry';
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

/** When there is no frame either. */
export function RouteError(props: ErrorComponentProps) {
  return (
    <main className="flex-1">
      <h1 className="sr-only">This page could not be loaded</h1>
      <Failure {...props} />
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
