/** Where the reader was in the incident list, so that the way back from an incident leads there. */

/** A place in a list: how far it was scrolled, the id of the row one stood on, and the numbers in their order. */
export type Place = { offset: number; row?: string; order?: readonly number[] };

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

/** The number of the incident before (-1) or after (1) this one in the list that the reader came from. */
export function besideInList(number: number, step: -1 | 1): number | undefined {
  const order = last?.place.order ?? [];
  const at = order.indexOf(number);
  return at < 0 ? undefined : order[at + step];
}
