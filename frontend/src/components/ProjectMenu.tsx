/** Which project is on the screen, and the way to another. */
import { useNavigate } from '@tanstack/react-router';
import { ChevronsUpDown } from 'lucide-react';
import { Menu, MenuChoice, MenuItem, MenuSeparator } from '../ui/Menu';
import { useMe } from './me';
import { useSwitchProject } from './project';

const LARGE =
  'flex h-11 w-full items-center gap-2 rounded-md border border-hairline bg-raised px-2.5 text-left hover:bg-hover';
const SMALL =
  '-ml-2 mr-auto flex h-8 min-w-0 items-center gap-1.5 rounded-md px-2 text-[13px] hover:bg-hover md:hidden';

/** With `small`, one line of the header of a phone. */
export function ProjectMenu({ small = false }: { small?: boolean }) {
  const me = useMe();
  const navigate = useNavigate();
  const switchTo = useSwitchProject();
  return (
    <Menu
      align="start"
      trigger={
        <button
          type="button"
          aria-label={small ? `Project ${me.project.name}, change` : undefined}
          className={small ? SMALL : LARGE}
        >
          {small ? (
            <span className="truncate font-medium">{me.project.name}</span>
          ) : (
            <span className="min-w-0 flex-1">
              <span className="block truncate text-muted text-xs leading-4">{me.tenant.name}</span>
              <span className="block truncate font-medium text-[13px] leading-4">{me.project.name}</span>
            </span>
          )}
          <ChevronsUpDown className="size-3.5 shrink-0 text-muted" aria-hidden="true" />
          {!small && <span className="sr-only">Switch project</span>}
        </button>
      }
    >
      <MenuChoice
        label="Projects"
        value={me.project.id}
        options={me.projects.map((project) => ({ value: project.id, label: project.name }))}
        onChange={switchTo}
      />
      <MenuSeparator />
      <MenuItem onClick={() => navigate({ to: '/settings/$section', params: { section: 'projects' } })}>
        Manage projects
      </MenuItem>
    </Menu>
  );
}
