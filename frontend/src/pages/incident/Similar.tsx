/** The last time something like this happened, and what fixed it. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { q } from '../../api/endpoints';
import type { Evidence, Incident } from '../../api/types';
import { safeUrl } from '../../components/safeUrl';
import { Card } from '../../ui/Card';

export function SimilarCard({ incident }: { incident: Incident }) {
  const { data } = useQuery(q.evidence(incident.id));
  const similar = data?.items.filter((one) => one.kind === 'incident') ?? [];
  if (similar.length === 0 && !incident.previous_incident_id) return null;
  return (
    <Card title="Happened before">
      <ul className="space-y-2 text-sm">
        {similar.slice(0, 3).map((one) => (
          <SimilarRow key={one.id} evidence={one} />
        ))}
      </ul>
      {incident.previous_incident_id && (
        <p className={similar.length > 0 ? 'mt-2 text-sm' : 'text-sm'}>
          <Link
            to="/incidents/$ref"
            params={{ ref: incident.previous_incident_id }}
            className="text-link hover:underline"
          >
            The previous incident of the same alert
          </Link>
        </p>
      )}
    </Card>
  );
}

function SimilarRow({ evidence }: { evidence: Evidence }) {
  const url = safeUrl(evidence.url);
  const number = /INC-(\d+)/.exec(evidence.summary)?.[0];
  return (
    <li className="[overflow-wrap:anywhere]">
      {number ? (
        <Link to="/incidents/$ref" params={{ ref: number }} className="hover:underline">
          {evidence.summary}
        </Link>
      ) : url ? (
        <a href={url} className="hover:underline">
          {evidence.summary}
        </a>
      ) : (
        evidence.summary
      )}
    </li>
  );
}
