/** The evidence of an analysis that named no cause: it speaks for nothing yet, but it is there to look at. */
import { useState } from 'react';
import type { Evidence, Incident } from '../../api/types';
import { usePrinting } from '../../ui/printing';
import { EvidenceRow } from './EvidenceRow';
import { nearestFirst } from './evidence';

const AT_FIRST = 5;

export function Found({ evidence, incident }: { evidence: readonly Evidence[]; incident: Incident }) {
  const [all, setAll] = useState(false);
  const printing = usePrinting();
  const found = nearestFirst(
    evidence.filter((one) => one.role !== 'symptom'),
    incident,
  );
  const shown = all || printing ? found : found.slice(0, AT_FIRST);
  const folded = found.length - shown.length;
  if (found.length === 0) return null;
  return (
    <section aria-label="What was found" className="mt-3">
      <h3 className="mb-1 text-[13px] text-muted">What was found</h3>
      <ul className="border-hairline border-t">
        {shown.map((one) => (
          <EvidenceRow key={one.id} evidence={one} side={null} incident={incident} />
        ))}
      </ul>
      {folded > 0 && (
        <button
          type="button"
          className="mt-2 rounded text-link text-sm hover:underline"
          onClick={() => setAll(true)}
        >
          and {folded} more
        </button>
      )}
    </section>
  );
}
