/** Settings, one section at a time; the section is in the address. */
import { Link, useParams } from '@tanstack/react-router';
import { type ComponentType, useEffect, useRef } from 'react';
import type { Role } from '../../api/types';
import { reaches, useMe } from '../../components/me';
import { PageBody, PageHeader, PageTitle } from '../../components/PageHeader';
import { NotFound } from '../../components/RouteStates';
import { SETTINGS_SECTIONS, type SettingsSection } from '../../paths';
import { EmptyState } from '../../ui/Notice';
import { Account } from './Account';
import { Audit } from './Audit';
import { Keys } from './Keys';
import { Members } from './Members';
import { Model } from './Model';
import { Preferences } from './Preferences';
import { Projects } from './Projects';

type Known = {
  name: string;
  needs: Role;
  view: ComponentType;
  /** How a refusal begins, when not with the name and `are`. */
  refused?: string;
};

const SECTIONS: Record<SettingsSection, Known> = {
  members: { name: 'Members', needs: 'viewer', view: Members },
  keys: { name: 'API keys', needs: 'admin', view: Keys },
  projects: { name: 'Projects', needs: 'viewer', view: Projects },
  model: { name: 'Language model', needs: 'viewer', view: Model },
  account: { name: 'Account', needs: 'viewer', view: Account },
  preferences: { name: 'This browser', needs: 'viewer', view: Preferences },
  audit: { name: 'Audit log', needs: 'admin', view: Audit, refused: 'The audit log is' },
};

export default function SettingsPage() {
  const { section } = useParams({ from: '/app/settings/$section' });
  const { role } = useMe();
  const tabs = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another section is another tab to show
  useEffect(() => {
    const chosen = tabs.current?.querySelector('[aria-current="page"]');
    chosen?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [section]);
  const known = SETTINGS_SECTIONS.find((one) => one === section);
  if (!known) return <NotFound />;
  const { view: View, needs, name, refused = `${name} are` } = SECTIONS[known];
  return (
    <>
      <PageHeader title={<PageTitle>Settings</PageTitle>} />
      <PageBody>
        <div className="mx-auto max-w-5xl">
          <nav
            ref={tabs}
            aria-label="Settings"
            className="mb-5 flex gap-5 overflow-x-auto border-hairline border-b max-md:gap-4"
          >
            {SETTINGS_SECTIONS.map((one) => (
              <Link
                key={one}
                to="/settings/$section"
                params={{ section: one }}
                replace
                className="flex h-10 items-center whitespace-nowrap border-transparent border-b-2 text-muted text-sm hover:text-text data-[status=active]:border-focus data-[status=active]:font-medium data-[status=active]:text-text"
              >
                {SECTIONS[one].name}
              </Link>
            ))}
          </nav>
          {reaches(role, needs) ? (
            <View />
          ) : (
            <EmptyState title={`${refused} for ${needs}s`}>
              You are {role} in this project. An owner or admin can change that under Members.
            </EmptyState>
          )}
        </div>
      </PageBody>
    </>
  );
}
