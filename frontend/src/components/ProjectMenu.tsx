/** Which project is on the screen, and the way to another. */
import { useNavigate } from '@tanstack/react-router';
import { ChevronsUpDown } from 'lucide-react';
import { Menu, MenuChoice, MenuItem, MenuSeparator } from '../ui/Menu';
import { useMe } from './me';
import { useSwitchProject } from './project';

export function ProjectMenu() {
  const me = useMe();
  const navigate = useNavigate();
  const switchTo = useSwitchProject();
  return (
    <Menu
      align="start"
      trigger={
        <button
          type="button"
          className="flex h-11 w-full items-center gap-2 rounded-md border border-hairline bg-raised px-2.5 text-left hover:bg-hover"
        >
          <span className="min-w-0 flex-1">
            <span className="block truncate text-muted text-xs leading-4">{me.tenant.name}</span>
            <span className="block truncate font-medium text-[13px] leading-4">{me.project.name}</span>
          </span>
          <ChevronsUpDown className="size-3.5 text-muted" aria-hidden="true" />
          <span className="sr-only">Switch project</span>
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
