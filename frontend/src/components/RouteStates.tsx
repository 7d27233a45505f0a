/** What stands in for a page: while it loads, when it failed, when there is none. */
import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { buttonClass } from '../ui/Button';
import { EmptyState, Skeleton } from '../ui/Notice';
import { ErrorState } from './ErrorState';

export function RoutePending() {
  return (
    <main className="flex-1 p-6">
      <Skeleton rows={6} className="max-w-xl" />
    </main>
  );
}

export function RouteError({ error }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <main className="flex-1">
      <h1 className="sr-only">This page failed</h1>
      <ErrorState error={error} onRetry={() => void router.invalidate()} />
    </main>
  );
}

export function NotFound() {
  return (
    <main className="flex-1">
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
