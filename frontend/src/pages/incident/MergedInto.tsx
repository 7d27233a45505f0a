/** A link to the incident that another one was merged into, by its number as soon as that is known. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { q } from '../../api/endpoints';

export function MergedInto({ id }: { id: string }) {
  const { data } = useQuery(q.incident(id));
  const name = data && `INC-${data.number}`;
  return (
    <Link to="/incidents/$ref" params={{ ref: name ?? id }} className="text-link-inline">
      {name ?? 'another incident'}
    </Link>
  );
}
