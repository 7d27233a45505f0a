/** Projects: each has its own incidents, integrations, members and keys. */
import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { actions, useAction } from '../../api/actions';
import { q } from '../../api/endpoints';
import { sentenceOf } from '../../api/errors';
import type { Project } from '../../api/types';
import { Confirm } from '../../components/Confirm';
import { reaches, useBlocked, useMe } from '../../components/me';
import { useSwitchProject } from '../../components/project';
import { Instant } from '../../components/Time';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Cell, Row, Table } from '../../ui/Table';
import { ProjectDialog } from './ProjectDialog';
import { Listed } from './Section';

export function Projects() {
  const query = useQuery(q.projects());
  const [making, setMaking] = useState(false);
  const blocked = useBlocked('admin');
  return (
    <Card
      title="Projects"
      flush
      aside={
        <Button look="primary" size="sm" blocked={blocked} onClick={() => setMaking(true)}>
          <Plus className="size-3.5" aria-hidden="true" /> New project
        </Button>
      }
    >
      <Listed query={query} empty="No project.">
        {(items) => (
          <Table label="Projects" head={['Name', 'Your role', 'Since', { text: 'Actions', hidden: true }]}>
            {items.map((project) => (
              <ProjectRow key={project.id} project={project} last={items.length === 1} />
            ))}
          </Table>
        )}
      </Listed>
      {making && <ProjectDialog onClose={() => setMaking(false)} />}
    </Card>
  );
}

function ProjectRow({ project, last }: { project: Project; last: boolean }) {
  const me = useMe();
  const [doing, setDoing] = useState<'rename' | 'delete' | null>(null);
  const drop = useAction(actions.deleteProject, ['projects', 'me']);
  const switchTo = useSwitchProject();
  const role = me.projects.find((one) => one.id === project.id)?.role;
  const current = project.id === me.project.id;
  return (
    <Row>
      <Cell className="font-medium">
        {project.name}
        {current && <span className="ml-2 font-normal text-muted">current</span>}
      </Cell>
      <Cell>{role ?? '–'}</Cell>
      <Cell className="text-muted">
        <Instant at={project.created_at} />
      </Cell>
      <Cell right>
        <span className="inline-flex gap-1">
          {!current && role && (
            <Button size="sm" onClick={() => switchTo(project.id)}>
              Switch to it
            </Button>
          )}
          {role && reaches(role, 'admin') && (
            <Button size="sm" look="ghost" onClick={() => setDoing('rename')}>
              Rename
            </Button>
          )}
          {role === 'owner' && (
            <Button
              size="sm"
              look="ghost"
              blocked={
                last
                  ? 'The last project cannot be deleted.'
                  : current
                    ? 'Switch to another project first.'
                    : undefined
              }
              onClick={() => setDoing('delete')}
            >
              Delete
            </Button>
          )}
        </span>
        {doing === 'rename' && <ProjectDialog project={project} onClose={() => setDoing(null)} />}
        {doing === 'delete' && (
          <Confirm
            title={`Delete ${project.name}?`}
            action="Delete project"
            danger
            pending={drop.isPending}
            error={drop.error && sentenceOf(drop.error)}
            onClose={() => setDoing(null)}
            onConfirm={() => drop.mutate(project.id, { onSuccess: () => setDoing(null) })}
          >
            Its incidents, integrations and keys go with it, and its senders are refused from then on.
          </Confirm>
        )}
      </Cell>
    </Row>
  );
}
