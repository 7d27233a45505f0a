/** What a sender sent: laid out to be read, or byte for byte. */
import { useState } from 'react';
import { Card } from '../../ui/Card';
import { Code } from '../../ui/Copy';
import { Segmented } from '../../ui/Segmented';
import { exact } from '../../util/numbers';

export function Body({ body }: { body: string | null }) {
  const [view, setView] = useState<'read' | 'raw'>('read');
  const readable = body === null ? null : laidOut(body);
  const choice = readable !== null && (
    <Segmented
      label="How the body is shown"
      value={view}
      options={[
        { value: 'read', label: 'Readable' },
        { value: 'raw', label: 'As it arrived' },
      ]}
      onChange={setView}
    />
  );
  return (
    <Card title={choice ? 'Body' : 'Body, as it arrived'} aside={choice}>
      {body === null ? (
        <p className="text-muted text-sm">The body was not kept.</p>
      ) : (
        <Code
          label={`${exact(body.length)} characters`}
          text={view === 'read' && readable !== null ? readable : body}
          wrap
          className="[&>[role=group]]:max-h-[60vh]"
        />
      )}
    </Card>
  );
}

/** The same JSON with a line for each member; null when it is none, or would not be the same. */
function laidOut(body: string): string | null {
  if (numbersOf(body).some(isRounded)) return null;
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return null;
  }
}

function numbersOf(body: string): string[] {
  return body.replace(/"(?:[^"\\]|\\.)*"/g, '""').match(/-?\d[\d.eE+-]*/g) ?? [];
}

/** Whether a browser would read another number than what is written: it keeps 15 digits of any. */
function isRounded(written: string): boolean {
  const digits = written.replace(/[eE].*/, '').replace(/\D/g, '');
  return !Number.isFinite(Number(written)) || (digits.length > 15 && String(Number(written)) !== written);
}
