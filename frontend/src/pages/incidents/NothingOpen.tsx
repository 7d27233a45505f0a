/** An empty list that proves it is empty because all is well, not because nobody is listening. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck, Plug, SearchX } from 'lucide-react';
import { q } from '../../api/endpoints';
import type { Integration } from '../../api/types';
import { useMe } from '../../components/me';
import { TimeAgo } from '../../components/Time';
import { Button, buttonClass } from '../../ui/Button';
import { EmptyState } from '../../ui/Notice';
import { DEFAULT_FILTER } from './filter';

export function NothingMatches({ onReset }: { onReset: () => void }) {
  return (
    <EmptyState
      icon={<SearchX className="size-5" aria-hidden="true" />}
      title="No incident matches this filter"
      action={<Button onClick={onReset}>Show open incidents</Button>}
    >
      The filter is in the address, so this view can be shared as it is.
    </EmptyState>
  );
}

export function NothingOpen() {
  const { project } = useMe();
  const { data } = useQuery(q.integrations(project.id));
  if (!data) return null;
  if (data.items.length === 0) return <NothingConnected />;
  return (
    <EmptyState
      icon={<CircleCheck className="size-5 text-resolved" aria-hidden="true" />}
      title="No open incidents"
      action={
        <Link to="/incidents" search={{ q: 'is:closed' }} className={buttonClass('secondary')}>
          Show closed incidents
        </Link>
      }
    >
      <ul className="mt-1 space-y-1">
        {data.items.map((integration) => (
          <li key={integration.id}>
            <Heard integration={integration} />
          </li>
        ))}
      </ul>
    </EmptyState>
  );
}

function Heard({ integration }: { integration: Integration }) {
  if (!integration.last_delivery_at)
    return (
      <>
        <Link to="/integrations/$id" params={{ id: integration.id }} className="text-link-inline">
          {integration.name}
        </Link>{' '}
        has not sent anything yet
      </>
    );
  return (
    <>
      <Link to="/integrations/$id" params={{ id: integration.id }} className="text-link-inline">
        {integration.name}
      </Link>{' '}
      {integration.last_delivery_status === 'rejected' ? 'was last refused' : 'last heard'}{' '}
      <TimeAgo at={integration.last_delivery_at} suffix=" ago" />
    </>
  );
}

function NothingConnected() {
  return (
    <EmptyState
      icon={<Plug className="size-5" aria-hidden="true" />}
      title="Nothing is connected yet"
      action={
        <Link to="/integrations" className={buttonClass('primary')}>
          Connect Prometheus, Alertmanager or Grafana
        </Link>
      }
    >
      An incident opens here as soon as a connected source sends an alert, or when you open one yourself.
    </EmptyState>
  );
}

/** Whether the reader asked for something narrower than the open incidents. */
export function isNarrowed(text: string): boolean {
  return text.trim() !== DEFAULT_FILTER;
}
