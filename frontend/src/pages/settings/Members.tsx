/** Who works in this project, in which role, and who is invited. */
import { useQuery } from '@tanstack/react-query';
import { UserPlus } from 'lucide-react';
import { useState } from 'react';
import { actions, useAction } from '../../api/actions';
import { q } from '../../api/endpoints';
import { sentenceOf } from '../../api/errors';
import { type Member, ROLES, type Role } from '../../api/types';
import { Confirm } from '../../components/Confirm';
import { reaches, useBlocked, useMe } from '../../components/me';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { SelectField } from '../../ui/Field';
import { Cell, Row, Table } from '../../ui/Table';
import { toast } from '../../ui/Toast';
import { Invitations } from './Invitations';
import { InviteDialog } from './InviteDialog';
import { Listed } from './Section';

export function Members() {
  const { project } = useMe();
  const query = useQuery(q.members(project.id));
  const [inviting, setInviting] = useState(false);
  const blocked = useBlocked('admin');
  return (
    <div className="grid grid-cols-1 gap-4">
      <Card
        title={`Members of ${project.name}`}
        flush
        aside={
          <Button look="primary" size="sm" blocked={blocked} onClick={() => setInviting(true)}>
            <UserPlus className="size-3.5" aria-hidden="true" /> Invite
          </Button>
        }
      >
        <Listed query={query} empty="Nobody yet.">
          {(items) => (
            <Table label="Members" head={['Name', 'E-mail', 'Role', { text: 'Actions', hidden: true }]}>
              {items.map((member) => (
                <MemberRow key={member.user_id} member={member} />
              ))}
            </Table>
          )}
        </Listed>
      </Card>
      {!blocked && <Invitations />}
      <RoleNotes />
      {inviting && <InviteDialog onClose={() => setInviting(false)} />}
    </div>
  );
}

function MemberRow({ member }: { member: Member }) {
  const { project, user, role: mine } = useMe();
  const [removing, setRemoving] = useState(false);
  const change = useAction(actions.changeRole, ['members', 'me']);
  const drop = useAction(actions.removeMember, ['members']);
  const mayChange = reaches(mine, 'admin') && reaches(mine, member.role);
  const target = { project: project.id, user: member.user_id };
  return (
    <Row>
      <Cell className="whitespace-nowrap font-medium">
        {member.full_name}
        {member.user_id === user.id && <span className="font-normal text-muted"> (you)</span>}
      </Cell>
      <Cell className="text-muted">{member.email}</Cell>
      <Cell className="min-w-40">
        {mayChange ? (
          <SelectField
            label={`Role of ${member.full_name}`}
            hideLabel
            className="!h-8 w-32"
            value={change.isPending ? change.variables.role : member.role}
            disabled={change.isPending}
            onChange={(event) =>
              change.mutate(
                { ...target, role: event.target.value as Role },
                { onError: (error) => toast({ title: sentenceOf(error), tone: 'bad' }) },
              )
            }
          >
            {ROLES.filter((role) => reaches(mine, role)).map((role) => (
              <option key={role} value={role}>
                {role}
              </option>
            ))}
          </SelectField>
        ) : (
          member.role
        )}
      </Cell>
      <Cell right>
        {mayChange && member.user_id !== user.id && (
          <Button size="sm" look="ghost" onClick={() => setRemoving(true)}>
            Remove
          </Button>
        )}
        {removing && (
          <Confirm
            title={`Remove ${member.full_name}?`}
            action="Remove"
            danger
            pending={drop.isPending}
            error={drop.error && sentenceOf(drop.error)}
            onClose={() => setRemoving(false)}
            onConfirm={() => drop.mutate(target, { onSuccess: () => setRemoving(false) })}
          >
            They lose access to {project.name} at once. What they wrote stays.
          </Confirm>
        )}
      </Cell>
    </Row>
  );
}

const NOTES: Record<Role, string> = {
  owner: 'everything, and deletes projects',
  admin: 'manages integrations, members and keys',
  engineer: 'works on incidents',
  viewer: 'reads',
};

function RoleNotes() {
  return (
    <dl className="grid gap-x-6 gap-y-1 px-1 text-[13px] text-muted sm:grid-cols-2">
      {ROLES.map((role) => (
        <div key={role} className="flex gap-1.5">
          <dt className="font-medium text-text">{role}</dt>
          <dd>{NOTES[role]}</dd>
        </div>
      ))}
    </dl>
  );
}
