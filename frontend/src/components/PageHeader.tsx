/**
 * The top of every page: where one is, what one can do there, whether it is live, and in which zone.
 * On a phone the project, the connection and the zone have a strip of their own above the rest.
 */
import { type ReactNode, useEffect } from 'react';
import { cx } from '../ui/cx';
import { zoneName } from '../util/time';
import { AccountMenu } from './AccountMenu';
import { useNow } from './clock';
import { LiveBadge } from './LiveBadge';
import { useMe } from './me';
import { ProjectMenu } from './ProjectMenu';
import { setPrefs, usePrefs } from './prefs';
import { useTitle } from './title';

export function PageHeader({ title, children }: { title: ReactNode; children?: ReactNode }) {
  // Only a short screen scrolls as a whole; there another page begins at its top.
  useEffect(() => {
    // In braces: a browser that answers with a promise would have it taken for what cleans up.
    scrollTo(0, 0);
  }, []);
  return (
    <header className="flex h-12 shrink-0 items-center gap-3 border-hairline border-b px-5 max-md:h-auto max-md:flex-col-reverse max-md:items-stretch max-md:gap-0 max-md:px-0">
      <div className="flex min-w-0 flex-1 items-center gap-3 max-md:h-12 max-md:flex-none max-md:gap-2 max-md:px-3">
        <div className="flex min-w-0 flex-1 items-center gap-2">{title}</div>
        {children}
        <AccountMenu small />
      </div>
      <div className="flex items-center gap-3 print:hidden max-md:h-9 max-md:border-hairline max-md:border-b max-md:bg-surface max-md:px-3">
        <ProjectMenu small />
        <LiveBadge home={useMe().public_url} />
        <ZoneSwitch />
      </div>
    </header>
  );
}

/** The title of a page whose header needs nothing else. */
export function PageTitle({ children }: { children: string }) {
  useTitle(children);
  return <h1 className="truncate font-semibold text-[15px]">{children}</h1>;
}

/** The scrolling body of a page. */
export function PageBody({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <main
      id="main"
      tabIndex={-1}
      className={cx(
        'min-h-0 flex-1 overflow-y-auto short:overflow-visible px-5 py-5 max-md:px-3 max-md:py-3',
        className,
      )}
    >
      {children}
    </main>
  );
}

function ZoneSwitch() {
  const { zone } = usePrefs();
  const name = zoneName(useNow(60_000), zone);
  return (
    <button
      type="button"
      onClick={() => setPrefs({ zone: zone === 'utc' ? 'local' : 'utc' })}
      title={`Times are in ${name}. Switch to ${zone === 'utc' ? 'local time' : 'UTC'} (t)`}
      className="h-8 rounded-md px-2 text-[13px] text-muted hover:bg-hover hover:text-text max-md:-mr-2"
    >
      <span className="sr-only">Times are in </span>
      {name}
    </button>
  );
}
