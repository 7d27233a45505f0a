/** The evidence of an analysis that named no cause: it speaks for nothing yet, but it is there to look at. */
import type { Evidence, Incident } from '../../api/types';
import { EvidenceRow } from './EvidenceRow';

export function Found({ evidence, incident }: { evidence: readonly Evidence[]; incident: Incident }) {
  const found = evidence.filter((one) => one.role !== 'symptom');
  if (found.length === 0) return null;
  return (
    <section aria-label="What was found" className="mt-3">
      <h3 className="mb-1 text-[13px] text-muted">What was found</h3>
      <ul className="border-hairline border-t">
        {found.map((one) => (
          <EvidenceRow key={one.id} evidence={one} side={null} incident={incident} />
        ))}
      </ul>
    </section>
  );
}
