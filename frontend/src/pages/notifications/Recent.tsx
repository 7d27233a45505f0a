/** What a channel was to send, newest first, and what became of it. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { q } from '../../api/endpoints';
import type { Channel, Notification } from '../../api/types';
import { ErrorState } from '../../components/ErrorState';
import { NotOfNow } from '../../components/Kept';
import { useMe } from '../../components/me';
import { Older } from '../../components/Older';
import { Instant, TimeAgo } from '../../components/Time';
import { Card } from '../../ui/Card';
import { cx } from '../../ui/cx';
import { Skeleton } from '../../ui/Notice';
import { counted, exact } from '../../util/numbers';
import { sentence } from '../../util/sentence';
import { reasonOf, STATUS_NAMES, WHAT_NAMES } from './sent';

/** What is sent makes no event, so the list looks by itself; not while older ones are read. */
const LOOK_EVERY_MS = 5000;
const FEW_NUMBERS = 3;

export function Recent({ channel }: { channel: Channel }) {
  const { project } = useMe();
  const query = useInfiniteQuery({
    ...q.channelNotifications(project.id, channel.id),
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : LOOK_EVERY_MS),
  });
  const items = query.data?.pages.flatMap((page) => page.items);
  return (
    <Card title="Recent notifications">
      {!items ? (
        query.isError ? (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <Skeleton rows={4} />
        )
      ) : (
        <>
          <NotOfNow error={query.error} readAt={query.dataUpdatedAt} />
          {items.length === 0 ? (
            <p className="text-muted text-sm">
              Nothing yet. Send a test, or wait for an incident that it is told of.
            </p>
          ) : (
            <ul aria-label="Recent notifications" className="-mt-1 divide-y divide-hairline">
              {items.map((one) => (
                <Line key={one.id} notification={one} />
              ))}
            </ul>
          )}
          <Older query={query} />
        </>
      )}
    </Card>
  );
}

const INK: Record<Notification['status'], string> = {
  waiting: 'text-medium',
  sent: 'text-muted',
  failed: 'text-critical',
  dropped: 'text-medium',
};

function Line({ notification }: { notification: Notification }) {
  const { status, what, title, sent_at, created_at, incident_numbers } = notification;
  const reason = reasonOf(notification);
  return (
    <li className="py-2 text-sm">
      <div className="flex items-baseline gap-2">
        <span className={cx('shrink-0 font-medium', INK[status])}>{STATUS_NAMES[status]}</span>
        <span className="min-w-0 truncate text-muted">{WHAT_NAMES[what]}</span>
        <span className="ml-auto shrink-0 text-[13px] text-muted">
          <TimeAgo at={sent_at ?? created_at} suffix=" ago" />
        </span>
      </div>
      <p className="[overflow-wrap:anywhere]">
        <bdi>{title}</bdi> <Numbers numbers={incident_numbers} />
      </p>
      {(reason || status === 'waiting') && (
        <p className="text-[13px] text-muted [overflow-wrap:anywhere]">
          <Why notification={notification} reason={reason} />
        </p>
      )}
    </li>
  );
}

function Why({ notification, reason }: { notification: Notification; reason: string | null }) {
  const { status, attempts, next_attempt_at } = notification;
  const tries = attempts > 0 && `${counted(attempts, 'attempt')} so far`;
  return (
    <>
      {reason && sentence(reason)}
      {status === 'waiting' && (
        <>
          {reason && '. '}
          {tries || 'Not tried yet'}
          {next_attempt_at && (
            <>
              , next at <Instant at={next_attempt_at} />
            </>
          )}
        </>
      )}
      {status === 'failed' && attempts > 1 && `, after ${counted(attempts, 'attempt')}`}
    </>
  );
}

/** The incidents it is about, of which a digest has many. */
function Numbers({ numbers }: { numbers: readonly number[] }) {
  const more = numbers.length - FEW_NUMBERS;
  return (
    <>
      {numbers.slice(0, FEW_NUMBERS).map((number) => (
        <Link
          key={number}
          to="/incidents/$ref"
          params={{ ref: `INC-${number}` }}
          className="mr-1.5 whitespace-nowrap text-[13px] text-link hover:underline"
        >
          INC-{number}
        </Link>
      ))}
      {more > 0 && <span className="text-[13px] text-muted">and {exact(more)} more</span>}
    </>
  );
}
