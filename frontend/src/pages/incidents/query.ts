/** From the text in the filter to what the server is asked. */
import type { IncidentQuery } from '../../api/endpoints';
import type { AnalysisSummary } from '../../api/types';
import { confidenceWord } from '../../util/confidence';
import { parseFilter } from './filter';
import { instantOf } from './when';

/** What the server is asked; `now` is what times such as `-2h` count from. */
export function queryOf(text: string, now = Date.now()): IncidentQuery {
  const filter = parseFilter(text);
  return {
    sort: filter.open === true ? 'needs_me' : '-detected_at',
    ...(filter.open !== null && { open: filter.open }),
    ...(filter.marks.length > 0 && { is: filter.marks }),
    ...(filter.stillFiring && { still_firing: true }),
    ...(filter.states.length > 0 && { state: filter.states }),
    ...(filter.severities.length > 0 && { severity: filter.severities }),
    ...(filter.services.length > 0 && { service_name: filter.services }),
    ...(filter.owner && { assigned_to: filter.owner }),
    ...(Object.keys(filter.labels).length > 0 && {
      label: Object.entries(filter.labels).map(([name, value]) => `${name}=${value}`),
    }),
    ...(filter.from && { from: instantOf(filter.from, now) }),
    ...(filter.to && { to: instantOf(filter.to, now) }),
    ...(filter.words && { q: filter.words }),
  };
}

/** What the analysis says, in the second line of a row. */
export function theoryLine(analysis: AnalysisSummary | null): string | null {
  if (!analysis) return null;
  if (analysis.status === 'queued' || analysis.status === 'running') return 'Checking for causes';
  if (analysis.status === 'failed') return 'Analysis failed';
  if (analysis.status === 'inconclusive' || !analysis.claim) return 'Not enough evidence';
  const word =
    analysis.confidence_score === null ? '' : ` (${confidenceWord(analysis.confidence_score).toLowerCase()})`;
  return `Likely${word}: ${analysis.claim}`;
}
