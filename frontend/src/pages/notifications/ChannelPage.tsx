/** One channel: whether it delivers, what it is told, and what it has sent. */
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { ChevronLeft } from 'lucide-react';
import { q } from '../../api/endpoints';
import { ApiError } from '../../api/errors';
import type { Channel } from '../../api/types';
import { ErrorState } from '../../components/ErrorState';
import { NotOfNow } from '../../components/Kept';
import { useMe } from '../../components/me';
import { PageBody, PageHeader, PageTitle } from '../../components/PageHeader';
import { NotFound } from '../../components/RouteStates';
import { Card } from '../../ui/Card';
import { Skeleton } from '../../ui/Notice';
import { ChannelActions } from './ChannelActions';
import { ChannelSettings } from './ChannelSettings';
import { Health } from './Health';
import { KIND_NAMES } from './kinds';
import { Recent } from './Recent';

/** What is sent makes no event, so the page looks by itself. */
const LOOK_EVERY_MS = 5000;

export default function ChannelPage() {
  const { id } = useParams({ from: '/app/notifications/$id' });
  const { project } = useMe();
  const query = useQuery({ ...q.channel(project.id, id), refetchInterval: LOOK_EVERY_MS });
  const absent = query.error instanceof ApiError && query.error.status === 404;
  return (
    <>
      <PageHeader
        title={
          <>
            <Link
              to="/notifications"
              className="flex h-8 items-center gap-1 rounded-md pr-2 text-[13px] text-muted hover:text-text"
            >
              <ChevronLeft className="size-4" aria-hidden="true" />
              <span className="max-md:sr-only">Notifications</span>
            </Link>
            <PageTitle>{query.data?.name ?? 'Channel'}</PageTitle>
          </>
        }
      >
        {query.data && !absent && <ChannelActions channel={query.data} />}
      </PageHeader>
      {absent ? (
        <NotFound />
      ) : (
        <PageBody>
          {query.data ? (
            <Body
              key={id}
              channel={query.data}
              note={<NotOfNow error={query.error} readAt={query.dataUpdatedAt} />}
            />
          ) : query.isError ? (
            <ErrorState error={query.error} onRetry={() => void query.refetch()} />
          ) : (
            <Skeleton rows={6} />
          )}
        </PageBody>
      )}
    </>
  );
}

function Body({ channel, note }: { channel: Channel; note: React.ReactNode }) {
  return (
    <div className="mx-auto grid max-w-6xl grid-cols-1 items-start gap-4 lg:grid-cols-[minmax(0,1fr)_400px]">
      <div className="grid min-w-0 grid-cols-1 gap-4">
        {note}
        <Card title="Health">
          <p className="text-sm" role="status">
            <Health channel={channel} whole />
          </p>
          <p className="mt-1 text-[13px] text-muted [overflow-wrap:anywhere]">
            {KIND_NAMES[channel.kind]}, sends to {channel.address}
          </p>
        </Card>
        <ChannelSettings channel={channel} />
      </div>
      <Recent channel={channel} />
    </div>
  );
}
