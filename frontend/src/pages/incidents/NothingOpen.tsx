/** An empty list that proves it is empty because all is well, not because nobody is listening. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck, CircleHelp, Plug, SearchX } from 'lucide-react';
import { q } from '../../api/endpoints';
import type { Integration } from '../../api/types';
import { useNow } from '../../components/clock';
import { useMe } from '../../components/me';
import { isOnlyAsked } from '../../components/sources';
import { TimeAgo } from '../../components/Time';
import { Button, buttonClass } from '../../ui/Button';
import { EmptyState } from '../../ui/Notice';
import { ms } from '../../util/time';
import { DEFAULT_FILTER } from './filter';
import { STILL_FIRING, useStillFiring } from './StillFiring';

/** A source not heard for this long proves nothing about now. */
const SILENT_MS = 24 * 3_600_000;

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
  const firing = useStillFiring();
  const now = useNow();
  if (!data) return null;
  const sources = data.items;
  if (sources.length === 0) return <NothingConnected />;
  const unheard = sources.filter((one) => !isHeard(one, now)).length;
  const good = unheard === 0 && firing === 0;
  return (
    <EmptyState
      icon={
        good ? (
          <CircleCheck className="size-5 text-resolved" aria-hidden="true" />
        ) : (
          <CircleHelp className="size-5" aria-hidden="true" />
        )
      }
      title={titleOf(sources, unheard, firing)}
      action={
        <Link
          to="/incidents"
          search={{ q: firing > 0 ? STILL_FIRING : 'is:closed' }}
          className={buttonClass('secondary')}
        >
          {firing > 0 ? 'Show what still fires' : 'Show closed incidents'}
        </Link>
      }
    >
      <ul className="mt-1 space-y-1">
        {sources.map((integration) => (
          <li key={integration.id}>
            <Heard integration={integration} />
          </li>
        ))}
      </ul>
    </EmptyState>
  );
}

/** Good news only when every source has been heard and nothing fires. */
function titleOf(sources: readonly Integration[], unheard: number, firing: number): string {
  if (sources.every((one) => !one.last_delivery_at)) return 'No alert has arrived yet';
  if (firing > 0) return 'No open incidents, but alerts still fire';
  if (unheard > 0) return 'No open incidents, but not every source is heard';
  return 'No open incidents';
}

function isHeard(source: Integration, now: number): boolean {
  const { last_delivery_at, last_delivery_status } = source;
  if (isOnlyAsked(source)) return true;
  if (!last_delivery_at || last_delivery_status === 'rejected') return false;
  return now - ms(last_delivery_at) < SILENT_MS;
}

function Heard({ integration }: { integration: Integration }) {
  const { id, name, last_delivery_at, last_delivery_status } = integration;
  return (
    <>
      <Link to="/integrations/$id" params={{ id }} className="text-link-inline">
        {name}
      </Link>{' '}
      {last_delivery_at ? (
        <>
          {last_delivery_status === 'rejected' ? 'was last refused' : 'last heard'}{' '}
          <TimeAgo at={last_delivery_at} suffix=" ago" />
        </>
      ) : isOnlyAsked(integration) ? (
        'is asked for metrics and sends nothing'
      ) : (
        'has not sent anything yet'
      )}
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
