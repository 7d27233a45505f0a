/** Which rows are chosen. Another list begins with none, so that nothing out of sight is acted on. */
import { useMemo, useState } from 'react';

const NONE: ReadonlySet<string> = new Set();

export type Selection = {
  ids: ReadonlySet<string>;
  toggle: (id: string) => void;
  add: (ids: readonly string[]) => void;
  /** These and no others. */
  only: (ids: readonly string[]) => void;
};

export function useSelection(list: string): Selection {
  const [chosen, setChosen] = useState({ list, ids: NONE });
  const ids = chosen.list === list ? chosen.ids : NONE;
  const change = useMemo(() => {
    const to = (next: (before: ReadonlySet<string>) => ReadonlySet<string>) =>
      setChosen((before) => ({ list, ids: next(before.list === list ? before.ids : NONE) }));
    return {
      toggle: (id: string) => to((before) => toggled(before, id)),
      add: (more: readonly string[]) => to((before) => new Set([...before, ...more])),
      only: (these: readonly string[]) => to(() => new Set(these)),
    };
  }, [list]);
  return { ids, ...change };
}

function toggled(before: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(before);
  if (!next.delete(id)) next.add(id);
  return next;
}
