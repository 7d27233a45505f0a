/** An address of a project that is not on the screen: nothing of it is shown before the reader switches. */
import { Link } from '@tanstack/react-router';
import { FolderInput, FolderX } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button, buttonClass } from '../ui/Button';
import { EmptyState } from '../ui/Notice';
import { useMe } from './me';
import { PageHeader, PageTitle } from './PageHeader';
import { useSwitchProject } from './project';

export function OtherProject({ id }: { id: string }) {
  const me = useMe();
  const switchTo = useSwitchProject({ stay: true });
  const other = me.projects.find((one) => one.id === id);
  const stay = (
    <Link to="/incidents" className={buttonClass('secondary')}>
      Stay in {me.project.name}
    </Link>
  );
  if (!other)
    return (
      <Framed>
        <EmptyState
          icon={<FolderX className="size-5" aria-hidden="true" />}
          title="You are not in this project"
          action={stay}
        >
          The link belongs to a project that does not have you as a member. Ask whoever sent it.
        </EmptyState>
      </Framed>
    );
  return (
    <Framed>
      <EmptyState
        icon={<FolderInput className="size-5" aria-hidden="true" />}
        title={`This is in ${other.name}`}
        action={
          <div className="flex flex-wrap justify-center gap-2">
            <Button look="primary" onClick={() => switchTo(id)}>
              Switch to {other.name}
            </Button>
            {stay}
          </div>
        }
      >
        You are in {me.project.name}. Your other tabs switch too.
      </EmptyState>
    </Framed>
  );
}

function Framed({ children }: { children: ReactNode }) {
  return (
    <>
      <PageHeader title={<PageTitle>Another project</PageTitle>} />
      <main id="main" tabIndex={-1} className="min-h-0 flex-1 overflow-y-auto">
        {children}
      </main>
    </>
  );
}
