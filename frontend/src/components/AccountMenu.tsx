/** The reader's own menu: theme, settings, the way out. */
import { useNavigate } from '@tanstack/react-router';
import { CircleUser, LogOut } from 'lucide-react';
import { paths } from '../paths';
import { cx } from '../ui/cx';
import { Menu, MenuChoice, MenuItem, MenuSeparator } from '../ui/Menu';
import { useMe } from './me';
import { setPrefs, type Theme, usePrefs } from './prefs';
import { useSignOut } from './signOut';

const THEMES: readonly { value: Theme; label: string }[] = [
  { value: 'system', label: 'As the system' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
];

export function AccountMenu({ small = false }: { small?: boolean }) {
  const { user, role } = useMe();
  const { theme } = usePrefs();
  const navigate = useNavigate();
  const signOut = useSignOut();
  return (
    <Menu
      align={small ? 'end' : 'start'}
      side={small ? 'bottom' : 'top'}
      trigger={
        <button
          type="button"
          aria-label={small ? `Account of ${user.full_name}` : undefined}
          className={cx(
            'flex items-center gap-2.5 rounded-md text-left text-sm hover:bg-hover',
            small ? 'size-10 justify-center md:hidden' : 'mt-1 h-10 px-2',
          )}
        >
          <CircleUser className="size-5 text-muted" aria-hidden="true" />
          {!small && (
            <span className="min-w-0 flex-1">
              <span className="block truncate font-medium text-[13px] leading-4">
                <span className="sr-only">Account of </span>
                {user.full_name}
              </span>
              <span className="block truncate text-muted text-xs capitalize leading-4">{role}</span>
            </span>
          )}
        </button>
      }
    >
      <p className="truncate px-2.5 pt-1.5 text-muted text-xs">{user.email}</p>
      <MenuChoice
        label="Theme"
        value={theme}
        options={THEMES}
        onChange={(next) => setPrefs({ theme: next })}
      />
      <MenuSeparator />
      <MenuItem onClick={() => navigate({ to: '/changes' })}>Changes</MenuItem>
      <MenuItem onClick={() => window.open(paths.apiDocs(), '_blank', 'noopener')}>API reference</MenuItem>
      <MenuItem onClick={signOut}>
        <LogOut className="size-4" aria-hidden="true" /> Sign out
      </MenuItem>
    </Menu>
  );
}
