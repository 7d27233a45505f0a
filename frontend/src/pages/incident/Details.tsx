/** The rest of what is known: description, root cause, labels. */
import { type ReactNode, useState } from 'react';
import type { Incident } from '../../api/types';
import { LinkedText } from '../../components/LinkedText';
import { useBlocked } from '../../components/me';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { CauseDialog } from './CauseDialog';
import { LabelList } from './LabelList';

export function Details({ incident }: { incident: Incident }) {
  const labels = Object.entries(incident.labels);
  const texts: [string, string | null][] = [
    ['Root cause', incident.root_cause],
    ['What fixed it', incident.resolution_summary],
    ['Description', incident.description || null],
  ];
  const written = texts.filter((one): one is [string, string] => one[1] !== null && one[1] !== '');
  const lacksCause = useLacksCause(incident);
  if (labels.length === 0 && written.length === 0 && !lacksCause) return null;
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
    </Card>
  );
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
