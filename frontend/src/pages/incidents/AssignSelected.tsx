/** Giving many incidents to one person, or to nobody. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { q } from '../../api/endpoints';
import type { Incident } from '../../api/types';
import { ErrorState } from '../../components/ErrorState';
import { useMe } from '../../components/me';
import { Button } from '../../ui/Button';
import { Dialog, DialogActions } from '../../ui/Dialog';
import { SelectField } from '../../ui/Field';
import { Remark } from '../../ui/Notice';
import { counted, exact } from '../../util/numbers';
import type { Person } from './deeds';

type Props = {
  count: number;
  chosen: readonly Incident[];
  onAssign: (person: Person) => void;
  onClose: () => void;
};

export function AssignSelected({ count, chosen, onAssign, onClose }: Props) {
  const { user, project } = useMe();
  const members = useQuery(q.members(project.id));
  const [owner, setOwner] = useState(user.id);
  const others = (members.data?.items ?? []).filter((one) => one.user_id !== user.id);
  const taken = chosen.filter((one) => one.assigned_to && one.assigned_to !== owner).length;
  const person = others.find((one) => one.user_id === owner);
  return (
    <Dialog open onClose={onClose} title={`Assign ${counted(count, 'incident')}`}>
      <form
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (owner === '') onAssign(null);
          else onAssign({ id: owner, name: person?.full_name ?? user.full_name });
          onClose();
        }}
      >
        <SelectField label="Owner" value={owner} onChange={(event) => setOwner(event.target.value)}>
          <option value={user.id}>{user.full_name} (you)</option>
          {others.map((one) => (
            <option key={one.user_id} value={one.user_id}>
              {one.full_name}
            </option>
          ))}
          <option value="">Nobody</option>
        </SelectField>
        {members.isError && !members.data && (
          <ErrorState error={members.error} onRetry={() => void members.refetch()} />
        )}
        {taken > 0 && <Remark tone="warn">{takenWords(taken, count, owner === '')}</Remark>}
        <DialogActions>
          <Button look="ghost" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary">
            {owner === '' ? `Give ${exact(count)} back` : `Assign ${exact(count)}`}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** Somebody works on these already, and will not see that they are taken away. */
function takenWords(taken: number, count: number, toNobody: boolean): string {
  const has = toNobody ? 'an owner' : 'another owner';
  if (count === 1) return `It has ${has} now.`;
  if (taken === count) return `All of them have ${has} now.`;
  return `${exact(taken)} of them ${taken === 1 ? 'has' : 'have'} ${has} now.`;
}
