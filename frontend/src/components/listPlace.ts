/** Where the reader was in the incident list, so that the way back from an incident leads there. */

/** A place in a list: how far it was scrolled, and the id of the row one stood on. */
export type Place = { offset: number; row?: string };

const TOP: Place = { offset: 0 };
let last: { list: string; search: { q?: string }; place: Place } | null = null;

/** Notes which list is on the screen; another one than before begins at its top. */
export function enterList(list: string, search: { q?: string }): Place {
  last = { list, search, place: last?.list === list ? last.place : TOP };
  return last.place;
}

/** Notes that the reader moved in the list on the screen. */
export function moveInList(moved: Partial<Place>): void {
  if (last) last.place = { ...last.place, ...moved };
}

/** The filter of the list that the reader came from, for a link back to it. */
export function listSearch(): { q?: string } {
  return last?.search ?? {};
}
