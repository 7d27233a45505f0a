/** Deliveries as a table: when, from whom, and what became of their alerts. */
import { Link } from '@tanstack/react-router';
import type { Delivery } from '../../api/types';
import { Instant } from '../../components/Time';
import { cx } from '../../ui/cx';
import { Cell, Row, Table } from '../../ui/Table';
import { counted } from '../../util/numbers';
import { refusal } from './refusal';

export function DeliveryTable({ items }: { items: readonly Delivery[] }) {
  return (
    <Table label="Deliveries" head={['Received', 'From', 'Answer', 'Alerts', 'Became']}>
      {items.map((one) => (
        <Row key={one.id}>
          <Cell>
            <Link to="/deliveries/$id" params={{ id: one.id }} className="text-link hover:underline">
              <Instant at={one.received_at} />
            </Link>
          </Cell>
          <Cell className="whitespace-nowrap">{one.integration_name}</Cell>
          <Cell
            className={cx('whitespace-nowrap tabular-nums', one.status === 'rejected' && 'text-critical')}
          >
            {one.http_status}
            {one.reason && ` ${refusal(one.reason).code}`}
          </Cell>
          <Cell className="tabular-nums">{one.received}</Cell>
          <Cell className="whitespace-nowrap text-muted">{outcomeText(one)}</Cell>
        </Row>
      ))}
    </Table>
  );
}

/** `1 opened, 2 attached` */
export function outcomeText(delivery: Delivery): string {
  const parts = Object.entries(delivery.outcomes)
    .filter(([, n]) => n > 0)
    .map(([outcome, n]) => `${n} ${outcome}`);
  if (delivery.truncated > 0)
    parts.push(`${counted(delivery.truncated, 'more', 'more')} cut off by the sender`);
  return parts.join(', ') || '–';
}
