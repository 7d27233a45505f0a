/** Where incidents are told of, whether that works, and the way to tell of them elsewhere. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { BellRing, Plus } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { q } from '../../api/endpoints';
import type { Channel } from '../../api/types';
import { ErrorState } from '../../components/ErrorState';
import { NotOfNow, useKept } from '../../components/Kept';
import { useKeys } from '../../components/keys';
import { useBlocked, useMe } from '../../components/me';
import { PageBody, PageHeader, PageTitle } from '../../components/PageHeader';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { EmptyState, Remark, Skeleton } from '../../ui/Notice';
import { Cell, Row, Table } from '../../ui/Table';
import { AddChannel } from './AddChannel';
import { Health } from './Health';
import { KIND_NAMES, scope } from './kinds';

/** What is sent makes no event, so the page looks by itself. */
const LOOK_EVERY_MS = 10_000;

export default function NotificationsPage() {
  const { project } = useMe();
  const query = useQuery({ ...q.channels(project.id), refetchInterval: LOOK_EVERY_MS });
  const { data, ...read } = useKept(query);
  const [adding, setAdding] = useState(false);
  const blocked = useBlocked('admin');
  useKeys('Notifications', [{ keys: 'n', label: 'Add a channel', run: () => !blocked && setAdding(true) }]);
  const add = (
    <Button look="primary" blocked={blocked} onClick={() => setAdding(true)}>
      <Plus className="size-4" aria-hidden="true" /> Add a channel
    </Button>
  );
  return (
    <>
      <PageHeader title={<PageTitle>Notifications</PageTitle>}>
        {data && data.items.length > 0 && add}
      </PageHeader>
      <PageBody>
        <div className="mx-auto grid grid-cols-1 max-w-5xl gap-4">
          {data && <NotOfNow {...read} />}
          {!data ? (
            query.isError ? (
              <ErrorState error={query.error} onRetry={() => void query.refetch()} />
            ) : (
              <Skeleton rows={4} />
            )
          ) : data.items.length === 0 ? (
            <Nothing add={add} />
          ) : (
            <>
              {data.items.every((one) => !one.enabled) && (
                <Remark tone="warn">Every channel is off, so nobody is told of an incident.</Remark>
              )}
              <Card title="Channels" flush>
                <ChannelTable items={data.items} />
              </Card>
            </>
          )}
        </div>
      </PageBody>
      {adding && <AddChannel onClose={() => setAdding(false)} />}
    </>
  );
}

function ChannelTable({ items }: { items: readonly Channel[] }) {
  return (
    <Table label="Channels" head={['Name', 'Kind', 'Health', 'Told of', 'Sends to']}>
      {items.map((one) => (
        <Row key={one.id}>
          <Cell className="font-medium">
            <Link to="/notifications/$id" params={{ id: one.id }} className="text-link hover:underline">
              <bdi>{one.name}</bdi>
            </Link>
          </Cell>
          <Cell>{KIND_NAMES[one.kind]}</Cell>
          <Cell className="max-md:w-full">
            <Health channel={one} />
          </Cell>
          <Cell className="text-muted">{scope(one)}</Cell>
          <Cell className="max-w-64 truncate text-muted">{one.address}</Cell>
        </Row>
      ))}
    </Table>
  );
}

function Nothing({ add }: { add: ReactNode }) {
  return (
    <EmptyState
      icon={<BellRing className="size-5" aria-hidden="true" />}
      title="Nobody is told of an incident yet"
      action={add}
    >
      A channel tells Slack, PagerDuty or an address of yours when an incident opens, when its likely cause is
      found and when it is over. Begin with one channel, then send a test to see that it arrives.
    </EmptyState>
  );
}
