/** Keeps rows where they are while someone points at them; what is new waits to be asked for. */
import { useState } from 'react';
import type { Incident } from '../../api/types';

/** A row as shown; `gone` when it no longer matches but still holds its place. */
export type ShownRow = { incident: Incident; gone: boolean };

export type Held = { rows: ShownRow[]; waiting: Incident[] };

/** The rows to show, given those on the screen and those the server has now. */
export function holdOrder(shown: readonly ShownRow[], fresh: readonly Incident[]): Held {
  const byId = new Map(fresh.map((incident) => [incident.id, incident]));
  const held = new Set(shown.map((row) => row.incident.id));
  const rows = shown.map((row) => {
    const now = byId.get(row.incident.id);
    return now ? { incident: now, gone: false } : { incident: row.incident, gone: true };
  });
  const lastHeld = fresh.findLastIndex((incident) => held.has(incident.id));
  const waiting: Incident[] = [];
  fresh.forEach((incident, index) => {
    if (held.has(incident.id)) return;
    if (index > lastHeld) rows.push({ incident, gone: false });
    else waiting.push(incident);
  });
  return { rows, waiting };
}

/** The rows in the server's order, or held in place while `hold` is true. `scope` is what the list is of. */
export function useHeldRows(fresh: readonly Incident[], hold: boolean, scope: string) {
  const [anchor, setAnchor] = useState<{ scope: string; rows: ShownRow[] } | null>(null);
  const holding = hold && anchor?.scope === scope && anchor.rows.length > 0;
  const held: Held = holding
    ? holdOrder(anchor.rows, fresh)
    : { rows: fresh.map((incident) => ({ incident, gone: false })), waiting: [] };
  return {
    ...held,
    /** Remembers what is on the screen now; called when the pointer or the focus arrives. */
    anchor: () => setAnchor({ scope, rows: held.rows }),
    /** Lets everything take its proper place. */
    release: () => setAnchor({ scope, rows: fresh.map((incident) => ({ incident, gone: false })) }),
  };
}
