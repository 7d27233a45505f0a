import { expect, it } from 'vitest';
import { findIncident } from '../../../mock/db';
import type { Incident, IncidentAlert } from '../../api/types';
import { episodeOf } from './episode';

const at = (minute: number) => new Date(Date.UTC(2026, 0, 24, 12, minute)).toISOString();
const incident = (times: Partial<Incident>) => ({ ...findIncident('INC-142'), ...times }) as Incident;
const alert = (ends_at: string | null) => ({ ends_at }) as IncidentAlert;

it('begins when its alerts began, and says when it was received only if that was much later', () => {
  const soon = incident({ started_at: at(0), detected_at: at(1) });
  expect(episodeOf(soon, [])).toMatchObject({ from: at(0), to: null, received_after_ms: null });
  const late = incident({ started_at: at(0), detected_at: at(12) });
  expect(episodeOf(late, []).received_after_ms).toBe(12 * 60_000);
});

it('ends when it was resolved', () => {
  const over = incident({ open: false, started_at: at(0), detected_at: at(1), resolved_at: at(30) });
  expect(episodeOf(over, [alert(at(29))]).to).toBe(at(30));
  expect(episodeOf(over, [alert(null)]).to).toBe(at(30));
});

it('lasted as long as its alerts did when it was over before it was sent', () => {
  const past = incident({ open: false, started_at: at(0), detected_at: at(50), resolved_at: at(50) });
  const episode = episodeOf(past, [alert(at(3)), alert(at(5)), alert(at(4))]);
  expect(episode).toMatchObject({ from: at(0), to: at(5), overBeforeSent: true });
});
