/** The way around: a side bar on a desk, a bar at the thumb on a phone. */
import { useQuery } from '@tanstack/react-query';
import { Link, useMatchRoute } from '@tanstack/react-router';
import {
  BellRing,
  ChartNoAxesColumn,
  Command,
  GitCommitHorizontal,
  Keyboard,
  type LucideIcon,
  Plug,
  Settings,
  Siren,
} from 'lucide-react';
import { q } from '../api/endpoints';
import { cx } from '../ui/cx';
import { AccountMenu } from './AccountMenu';
import { KeyCaps } from './KeyCaps';
import { ProjectMenu } from './ProjectMenu';

type Item = {
  to: '/incidents' | '/analytics' | '/integrations' | '/notifications' | '/changes' | '/settings';
  label: string;
  icon: LucideIcon;
};

const ITEMS: Item[] = [
  { to: '/incidents', label: 'Incidents', icon: Siren },
  { to: '/analytics', label: 'Analytics', icon: ChartNoAxesColumn },
  { to: '/integrations', label: 'Integrations', icon: Plug },
  { to: '/notifications', label: 'Notifications', icon: BellRing },
  { to: '/changes', label: 'Changes', icon: GitCommitHorizontal },
  { to: '/settings', label: 'Settings', icon: Settings },
];

export function SideNav({ onHelp, onPalette }: { onHelp: () => void; onPalette: () => void }) {
  return (
    <aside className="flex w-52 shrink-0 flex-col border-hairline border-r bg-surface px-2.5 py-3 max-md:hidden">
      <div className="flex items-center gap-2 px-2 pb-3">
        <Mark className="size-6" />
        <span className="font-semibold text-sm tracking-tight">SRE Copilot</span>
      </div>
      <ProjectMenu />
      <nav aria-label="Main" className="mt-3 flex flex-1 flex-col gap-0.5">
        {ITEMS.map((item) => (
          <Link
            key={item.to}
            to={item.to}
            className="flex h-8 items-center gap-2.5 rounded-md px-2 text-muted text-sm hover:bg-hover hover:text-text data-[status=active]:bg-hover data-[status=active]:font-medium data-[status=active]:text-text"
          >
            <item.icon className="size-4" aria-hidden />
            <span className="flex-1">{item.label}</span>
            {item.to === '/incidents' && <OpenCount />}
          </Link>
        ))}
      </nav>
      <Tool icon={Command} label="Commands" keys="mod+k" onClick={onPalette} />
      <Tool icon={Keyboard} label="Keys" keys="?" onClick={onHelp} />
      <AccountMenu />
    </aside>
  );
}

function Tool({
  icon: Icon,
  label,
  keys,
  onClick,
}: {
  icon: LucideIcon;
  label: string;
  keys: string;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      onClick={onClick}
      className="flex h-8 items-center gap-2.5 rounded-md px-2 text-left text-muted text-sm hover:bg-hover hover:text-text"
    >
      <Icon className="size-4" aria-hidden="true" />
      <span className="flex-1">{label}</span>
      <span aria-hidden="true">
        <KeyCaps keys={keys} />
      </span>
    </button>
  );
}

/** Hidden on the page of an incident, whose own actions take the place at the thumb. */
export function BottomNav() {
  const matches = useMatchRoute();
  if (matches({ to: '/incidents/$ref' })) return null;
  return (
    <nav
      aria-label="Main"
      className="flex shrink-0 border-hairline border-t bg-surface pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      {ITEMS.filter((item) => item.to !== '/changes').map((item) => (
        <Link
          key={item.to}
          to={item.to}
          className="relative flex h-14 flex-1 flex-col items-center justify-center gap-1 text-[11px] text-muted data-[status=active]:font-medium data-[status=active]:text-link"
        >
          <item.icon className="size-5" aria-hidden />
          {item.label}
        </Link>
      ))}
    </nav>
  );
}

function OpenCount() {
  const { data } = useQuery(q.summary());
  if (!data || data.open === 0) return null;
  return (
    <span
      className={cx(
        'rounded px-1.5 text-xs tabular-nums',
        data.unacknowledged > 0 ? 'font-semibold text-text' : 'text-muted',
      )}
      title={`${data.open} open, ${data.unacknowledged} not acknowledged`}
    >
      {data.open}
    </span>
  );
}

export function Mark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden="true">
      <rect width="32" height="32" rx="8" className="fill-primary" />
      <path
        d="M6 17h5l3-8 4 14 3-6h5"
        fill="none"
        className="stroke-on-primary"
        strokeWidth="2.6"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
