/** The live panel: from waiting, past the wrong token, to the first incident. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Check, CircleAlert, LoaderCircle } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { q } from '../../api/endpoints';
import type { Delivery, Integration } from '../../api/types';
import { useMe } from '../../components/me';
import { isOnlyAsked } from '../../components/sources';
import { TimeAgo } from '../../components/Time';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { cx } from '../../ui/cx';
import { counted } from '../../util/numbers';
import { type Deliveries, isOf, useDeliveries } from './deliveries';
import { ChooseOutcome, Reach } from './Narrowed';
import { refusal, refusalHint } from './refusal';

/** Refused requests make no event, so the panel also looks by itself. */
const LOOK_EVERY_MS = 2000;
const FEW = 12;

export function Arrivals({ integration }: { integration: Integration }) {
  const deliveries = useDeliveries(LOOK_EVERY_MS, integration.id);
  const items = deliveries.loaded ?? [];
  const accepted = items.find((one) => one.status === 'accepted');
  const onlyAsked = isOnlyAsked(integration);
  const refused = items[0]?.status === 'rejected' ? items[0] : undefined;
  return (
    <Card title="What arrives" className="lg:sticky lg:top-0">
      <ol className="space-y-3 text-sm" aria-live="polite">
        <Stage done={items.length > 0} now={items.length === 0 && !onlyAsked}>
          {items.length > 0
            ? 'A request has arrived'
            : onlyAsked
              ? 'It is asked for metrics and sends nothing, unless the snippet is put in its configuration'
              : 'Waiting for the first request'}
        </Stage>
        {refused && (
          <Stage bad>
            Request from {refused.remote} refused,{' '}
            {refused.reason ? refusal(refused.reason).code : 'no reason recorded'} ({refused.http_status}),{' '}
            <TimeAgo at={refused.received_at} suffix=" ago" />
            <span className="mt-0.5 block text-muted">{refusalHint(refused, integration.kind)}</span>
          </Stage>
        )}
        <Stage done={accepted !== undefined} now={items.length > 0 && !accepted && !refused}>
          {accepted ? (
            <>
              Accepted from {accepted.remote}, <TimeAgo at={accepted.received_at} suffix=" ago" />
            </>
          ) : (
            'Accepted'
          )}
        </Stage>
        <Stage done={accepted !== undefined && accepted.received > 0}>
          {accepted ? `Read ${counted(accepted.received, 'alert')}` : 'Alerts read'}
        </Stage>
        <Opened delivery={items.find((one) => (one.outcomes.opened ?? 0) > 0)} />
      </ol>
      {items.length > 0 && <Lines deliveries={deliveries} />}
    </Card>
  );
}

/** A few, until one looks for more. */
function Lines({ deliveries }: { deliveries: Deliveries }) {
  const { shown = [], choice, stands } = deliveries;
  const [whole, setWhole] = useState(false);
  const few = !whole && !stands && choice === 'all' && shown.length > FEW;
  return (
    <section aria-label="Deliveries" className="mt-4 border-hairline border-t pt-3">
      <ChooseOutcome deliveries={deliveries} />
      <ul className="mt-2 max-h-[60vh] overflow-y-auto">
        {(few ? shown.slice(0, FEW) : shown).map((one) => (
          <Line key={one.id} delivery={one} />
        ))}
      </ul>
      {few ? (
        <Button className="mt-2" onClick={() => setWhole(true)}>
          Older
        </Button>
      ) : (
        <Reach deliveries={deliveries} />
      )}
    </section>
  );
}

function Opened({ delivery }: { delivery: Delivery | undefined }) {
  const { project } = useMe();
  const { data } = useQuery({
    ...q.delivery(project.id, delivery?.id ?? ''),
    enabled: delivery !== undefined,
  });
  const id = data?.results.find((one) => one.incident_id)?.incident_id;
  const incident = useQuery({ ...q.incident(id ?? ''), enabled: id !== undefined && id !== null });
  return (
    <Stage done={delivery !== undefined}>
      {incident.data ? (
        <>
          Opened{' '}
          <Link
            to="/incidents/$ref"
            params={{ ref: `INC-${incident.data.number}` }}
            className="text-link hover:underline"
          >
            INC-{incident.data.number}
          </Link>
        </>
      ) : (
        'Incident opened'
      )}
    </Stage>
  );
}

function Stage({
  done = false,
  now = false,
  bad = false,
  children,
}: {
  done?: boolean;
  now?: boolean;
  bad?: boolean;
  children: ReactNode;
}) {
  return (
    <li className={cx('flex gap-2.5', !done && !now && !bad && 'text-muted')}>
      <span aria-hidden="true" className="mt-0.5 flex size-4 shrink-0 items-center justify-center">
        {bad ? (
          <CircleAlert className="size-4 text-critical" />
        ) : done ? (
          <Check className="size-4 text-resolved" />
        ) : now ? (
          <LoaderCircle className="size-4 animate-spin text-link" />
        ) : (
          <span className="size-1.5 rounded-full bg-control" />
        )}
      </span>
      <span className="min-w-0 [overflow-wrap:anywhere]">{children}</span>
    </li>
  );
}

function Line({ delivery }: { delivery: Delivery }) {
  const good = delivery.status === 'accepted';
  return (
    <li>
      <Link
        to="/deliveries/$id"
        params={{ id: delivery.id }}
        className="-mx-2 flex items-center gap-2.5 rounded-md px-2 py-1.5 text-[13px] hover:bg-hover"
      >
        <span className={cx('w-8 tabular-nums', good ? 'text-muted' : 'font-medium text-critical')}>
          {delivery.http_status}
        </span>
        <span className="min-w-0 flex-1 truncate">
          {good ? counted(delivery.received, 'alert') : refusal(delivery.reason ?? 'refused').code}
          {isOf(delivery, 'quarantined') && `, ${delivery.outcomes.quarantined} quarantined`}
          {delivery.replay_of && ' (replay)'}
        </span>
        <span className="text-muted">
          <TimeAgo at={delivery.received_at} />
        </span>
      </Link>
    </li>
  );
}
