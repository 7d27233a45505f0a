/** The rest of what is known: description, root cause, labels. */
import type { ReactNode } from 'react';
import type { Incident } from '../../api/types';
import { LinkedText } from '../../components/LinkedText';
import { Card } from '../../ui/Card';
import { LabelList } from './LabelList';

export function Details({ incident }: { incident: Incident }) {
  const labels = Object.entries(incident.labels);
  const texts: [string, string | null][] = [
    ['Root cause', incident.root_cause],
    ['What fixed it', incident.resolution_summary],
    ['Description', incident.description || null],
  ];
  const written = texts.filter((one): one is [string, string] => one[1] !== null && one[1] !== '');
  if (labels.length === 0 && written.length === 0) return null;
  return (
    <Card title="Details">
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

function Part({ name, children }: { name: string; children: ReactNode }) {
  return (
    <section className="mb-3 last:mb-0">
      <h3 className="mb-1 text-[13px] text-muted">{name}</h3>
      {children}
    </section>
  );
}
