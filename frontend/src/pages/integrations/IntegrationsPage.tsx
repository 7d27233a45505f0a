/** What is connected, when it was last heard, and the way to connect more. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Plug, Plus } from 'lucide-react';
import { useState } from 'react';
import { q } from '../../api/endpoints';
import type { Integration } from '../../api/types';
import { ErrorState } from '../../components/ErrorState';
import { NotOfNow, useKept } from '../../components/Kept';
import { useBlocked, useMe } from '../../components/me';
import { PageBody, PageHeader, PageTitle } from '../../components/PageHeader';
import { isOnlyAsked } from '../../components/sources';
import { TimeAgo } from '../../components/Time';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { EmptyState, Skeleton } from '../../ui/Notice';
import { Cell, Row, Table } from '../../ui/Table';
import { ConnectDialog } from './ConnectDialog';
import { DeliveryTable } from './DeliveryTable';
import { useDeliveries } from './deliveries';
import { KIND_NAMES } from './kinds';
import { ChooseOutcome, Reach } from './Narrowed';

/** Refused requests make no event, so the page also looks by itself. */
const LOOK_EVERY_MS = 10_000;

export default function IntegrationsPage() {
  const { project } = useMe();
  const query = useQuery(q.integrations(project.id));
  const { data, ...read } = useKept(query);
  const [connecting, setConnecting] = useState(false);
  const blocked = useBlocked('admin');
  const connect = (
    <Button look="primary" blocked={blocked} onClick={() => setConnecting(true)}>
      <Plus className="size-4" aria-hidden="true" /> Connect
    </Button>
  );
  return (
    <>
      <PageHeader title={<PageTitle>Integrations</PageTitle>}>{connect}</PageHeader>
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
            <Nothing connect={connect} />
          ) : (
            <>
              <Card title="Sources" flush>
                <SourceTable items={data.items} />
              </Card>
              <LatestDeliveries />
            </>
          )}
        </div>
      </PageBody>
      {connecting && <ConnectDialog onClose={() => setConnecting(false)} />}
    </>
  );
}

function SourceTable({ items }: { items: readonly Integration[] }) {
  return (
    <Table label="Integrations" head={['Name', 'Kind', 'Last heard', 'Its API']}>
      {items.map((one) => (
        <Row key={one.id}>
          <Cell className="font-medium">
            <Link
              to="/integrations/$id"
              params={{ id: one.id }}
              className="whitespace-nowrap text-link hover:underline"
            >
              {one.name}
            </Link>
          </Cell>
          <Cell>{KIND_NAMES[one.kind]}</Cell>
          <Cell>
            <LastHeard integration={one} />
          </Cell>
          <Cell className="max-w-64 truncate text-muted">{one.url ?? 'not set'}</Cell>
        </Row>
      ))}
    </Table>
  );
}

/** When a source was last heard, and whether that was good. */
export function LastHeard({ integration }: { integration: Integration }) {
  if (!integration.last_delivery_at)
    return (
      <span className="text-muted">
        {isOnlyAsked(integration)
          ? 'is asked for metrics and sends nothing'
          : 'waiting for the first delivery'}
      </span>
    );
  const refused = integration.last_delivery_status === 'rejected';
  return (
    <span className="inline-flex items-center gap-2 whitespace-nowrap">
      <span
        aria-hidden="true"
        className={refused ? 'size-2 rounded-full bg-critical' : 'size-2 rounded-full bg-resolved'}
      />
      {refused ? 'refused ' : ''}
      <TimeAgo at={integration.last_delivery_at} suffix=" ago" />
    </span>
  );
}

function LatestDeliveries() {
  const deliveries = useDeliveries(LOOK_EVERY_MS);
  const { query, loaded, shown = [] } = deliveries;
  return (
    <Card title="Latest deliveries" flush aside={<ChooseOutcome deliveries={deliveries} />}>
      {!loaded ? (
        query.isError ? (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <Skeleton rows={3} className="p-4" />
        )
      ) : loaded.length === 0 ? (
        <p className="px-4 pb-4 text-muted text-sm">Nothing has arrived yet.</p>
      ) : (
        <>
          {shown.length > 0 && <DeliveryTable items={shown} />}
          <Reach deliveries={deliveries} />
        </>
      )}
    </Card>
  );
}

function Nothing({ connect }: { connect: React.ReactNode }) {
  return (
    <EmptyState
      icon={<Plug className="size-5" aria-hidden="true" />}
      title="Connect what sends your alerts"
      action={connect}
    >
      Prometheus can list this server as one more Alertmanager, which changes nothing in your routing.
      Alertmanager and Grafana send by webhook.
    </EmptyState>
  );
}
