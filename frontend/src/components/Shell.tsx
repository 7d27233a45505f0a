/** The frame around every page behind sign-in: navigation, project, live updates, keys. */
import { useSuspenseQuery } from '@tanstack/react-query';
import { Outlet, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { q } from '../api/endpoints';
import { ApiError } from '../api/errors';
import { ToastPlace } from '../ui/Toast';
import { useAnnounce } from './announce';
import { KeyHelp } from './KeyHelp';
import { useKeys } from './keys';
import { LiveProvider } from './LiveProvider';
import { preloadPages } from './lazyPage';
import { BottomNav, SideNav } from './Nav';
import { OtherProject } from './OtherProject';
import { Palette } from './Palette';
import { setPrefs, usePrefs } from './prefs';
import { useFollowProject } from './project';
import { TabSign } from './title';
import { WaitingNote } from './WaitingNote';

export function Shell() {
  const { data: me, error } = useSuspenseQuery(q.me());
  // What was read before would keep the frame of a project that does not let its reader in any more.
  if (error instanceof ApiError && error.forbidden) throw error;
  const { project: named } = useSearch({ from: '/app' });
  useFollowProject(me.project.id);
  const navigate = useNavigate();
  const { zone } = usePrefs();
  const [shown, setShown] = useState<'help' | 'palette' | null>(null);
  const close = () => setShown(null);
  const announce = useAnnounce();
  useEffect(() => whenIdle(() => void preloadPages()), []);
  useKeys('Everywhere', [
    { keys: 'g i', label: 'Go to incidents', run: () => navigate({ to: '/incidents' }) },
    { keys: 'g a', label: 'Go to analytics', run: () => navigate({ to: '/analytics' }) },
    { keys: 'g n', label: 'Go to integrations', run: () => navigate({ to: '/integrations' }) },
    { keys: 'g o', label: 'Go to notifications', run: () => navigate({ to: '/notifications' }) },
    { keys: 'g c', label: 'Go to changes', run: () => navigate({ to: '/changes' }) },
    { keys: 'g s', label: 'Go to settings', run: () => navigate({ to: '/settings' }) },
    {
      keys: 't',
      label: 'Switch between UTC and local time',
      run: () => setPrefs({ zone: zone === 'utc' ? 'local' : 'utc' }),
    },
    { keys: '?', label: 'Show these keys', run: () => setShown('help') },
    { keys: 'mod+k', label: 'Commands', run: () => setShown('palette') },
  ]);
  return (
    <LiveProvider project={me.project.id} onEvents={announce}>
      <a
        href="#main"
        className="sr-only z-50 rounded-md bg-primary px-3 py-2 text-on-primary focus:not-sr-only focus:absolute focus:top-2 focus:left-2"
      >
        Skip to content
      </a>
      <div className="flex h-dvh flex-col md:flex-row short:h-auto short:min-h-dvh print:block print:h-auto">
        <SideNav onHelp={() => setShown('help')} onPalette={() => setShown('palette')} />
        <div className="flex min-h-0 min-w-0 flex-1 flex-col print:block">
          {named && named !== me.project.id ? <OtherProject id={named} /> : <Outlet key={me.project.id} />}
          <ToastPlace />
        </div>
        <BottomNav />
      </div>
      <TabSign />
      <KeyHelp open={shown === 'help'} onClose={close} />
      <Palette open={shown === 'palette'} onClose={close} />
      <WaitingNote />
    </LiveProvider>
  );
}

/** Once the first page stands; Safari knows no idle callback. */
function whenIdle(run: () => void): () => void {
  const timer = setTimeout(() => (window.requestIdleCallback ?? run)(run), 2000);
  return () => clearTimeout(timer);
}
