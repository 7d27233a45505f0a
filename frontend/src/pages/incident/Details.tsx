/** The rest of what is known: description, root cause, labels, and the requests that brought it. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { q } from '../../api/endpoints';
import type { Incident, Step } from '../../api/types';
import { LinkedText } from '../../components/LinkedText';
import { useBlocked } from '../../components/me';
import { Instant } from '../../components/Time';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { CauseDialog } from './CauseDialog';
import { LabelList } from './LabelList';

const FEW = 5;

export function Details({ incident }: { incident: Incident }) {
  const labels = Object.entries(incident.labels);
  const texts: [string, string | null][] = [
    ['Root cause', incident.root_cause],
    ['What fixed it', incident.resolution_summary],
    ['Description', incident.description || null],
  ];
  const written = texts.filter((one): one is [string, string] => one[1] !== null && one[1] !== '');
  const steps = useInfiniteQuery(q.steps(incident.id)).data?.pages.flatMap((page) => page.items);
  const deliveries = deliveriesOf(steps ?? []);
  const lacksCause = useLacksCause(incident);
  if (labels.length === 0 && written.length === 0 && deliveries.length === 0 && !lacksCause) return null;
  return (
    <Card title="Details">
      {lacksCause && <AddCause incident={incident} />}
      {written.map(([name, text]) => (
        <Part key={name} name={name}>
          <p className="whitespace-pre-line text-sm [overflow-wrap:anywhere]">
            <LinkedText text={text} />
          </p>
        </Part>
      ))}
      {labels.length > 0 && (
        <Part name="Labels">
          <LabelList labels={incident.labels} linked />
        </Part>
      )}
      {deliveries.length > 0 && (
        <Part name="Came in with">
          <ul className="flex flex-wrap gap-x-4 gap-y-1 text-sm">
            {deliveries.slice(0, FEW).map(({ id, at }) => (
              <li key={id}>
                <Link to="/deliveries/$id" params={{ id }} className="text-link-inline">
                  the delivery of <Instant at={at} />
                </Link>
              </li>
            ))}
            {deliveries.length > FEW && <li className="text-muted">and {deliveries.length - FEW} more</li>}
          </ul>
        </Part>
      )}
    </Card>
  );
}

/** The requests that the steps name, first ones first. */
function deliveriesOf(steps: readonly Step[]): { id: string; at: string }[] {
  const found = new Map<string, string>();
  for (const { detail, started_at } of steps)
    if (typeof detail.delivery_id === 'string' && !found.has(detail.delivery_id))
      found.set(detail.delivery_id, started_at);
  return [...found].map(([id, at]) => ({ id, at }));
}

/** Whether it ended, as by its alerts closing, without that anybody wrote why; and the reader may. */
function useLacksCause({ open, merged_into, root_cause }: Incident): boolean {
  const blocked = useBlocked('engineer');
  return !blocked && !open && !merged_into && !root_cause;
}

function AddCause({ incident }: { incident: Incident }) {
  const [asking, setAsking] = useState(false);
  const close = () => setAsking(false);
  return (
    <Part name="Root cause">
      <p className="mb-2 text-muted text-sm">
        Nobody has written one yet. It is shown when this happens again.
      </p>
      <Button onClick={() => setAsking(true)}>Add root cause</Button>
      {asking && (
        <CauseDialog
          incident={incident}
          title={`Root cause of INC-${incident.number}`}
          action="Save"
          onDone={close}
          onClose={close}
        />
      )}
    </Part>
  );
}

function Part({ name, children }: { name: string; children: ReactNode }) {
  return (
    <section className="mb-3 last:mb-0">
      <h3 className="mb-1 text-[13px] text-muted">{name}</h3>
      {children}
    </section>
  );
}
