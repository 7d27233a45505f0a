/** Who was told of the incident, where and when, and what did not arrive; nothing when nobody was. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { q } from '../../api/endpoints';
import type { Incident, Notification } from '../../api/types';
import { Instant } from '../../components/Time';
import { exact } from '../../util/numbers';
import { type Told as ToldChannel, toldChannels } from './toldChannels';

/** What is sent makes no event; what is on its way is looked at more often. */
const WAITING_MS = 5000;
const OPEN_MS = 30_000;
const FEW = 4;

export function Told({ incident }: { incident: Incident }) {
  const { data } = useQuery({
    ...q.notifications(incident.id),
    refetchInterval: ({ state }) => {
      if (state.data?.items.some((one) => one.status === 'waiting')) return WAITING_MS;
      return incident.open && OPEN_MS;
    },
  });
  const channels = toldChannels(data?.items ?? []);
  if (channels.length === 0) return null;
  const more = channels.length - FEW;
  return (
    <p className="mt-2 text-[13px] text-muted [overflow-wrap:anywhere]">
      Told:{' '}
      {channels.slice(0, FEW).map((one, index) => (
        <span key={one.id}>
          {index > 0 && ', '}
          <One told={one} />
        </span>
      ))}
      {more > 0 && ` and ${exact(more)} more`}
    </p>
  );
}

/** Where a channel is; an address of one's own is known by the channel's name alone. */
const KINDS: Record<Notification['channel_kind'], string | null> = {
  slack: 'Slack',
  pagerduty: 'PagerDuty',
  webhook: null,
};

function One({ told: { id, name, kind, at, trouble } }: { told: ToldChannel }) {
  const where = KINDS[kind];
  return (
    <>
      <Link to="/notifications/$id" params={{ id }} className="rounded hover:text-text hover:underline">
        <bdi>{name}</bdi>
      </Link>
      {where && !name.toLowerCase().includes(kind) && ` on ${where}`}
      {at && (
        <>
          {' '}
          <Instant at={at} zone={false} />
        </>
      )}
      {trouble && (
        <>
          {' '}
          <span className={trouble.final ? 'text-critical' : 'text-medium'}>({trouble.text})</span>
        </>
      )}
    </>
  );
}
