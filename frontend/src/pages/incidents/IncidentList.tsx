/** The rows, of which only those in view exist. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { type RefObject, useEffect, useRef, useState } from 'react';
import { useKeys } from '../../components/keys';
import type { Place } from '../../components/listPlace';
import { useMe } from '../../components/me';
import { counted } from '../../util/numbers';
import { IncidentRow } from './IncidentRow';
import type { ShownRow } from './order';
import type { Selection } from './selection';

const DESK_ROW = 56;
const PHONE_ROW = 96;
const phone = matchMedia('(max-width: 767px)');

type Props = {
  /** Where in the list the reader was when they left it, and whom to tell where they are now. */
  place: Place;
  onPlace: (moved: Partial<Place>) => void;
  rows: readonly ShownRow[];
  /** How many there are in all, when known; -1 while more pages may follow. */
  total: number;
  selection: Selection;
  choosing: boolean;
  onAcknowledge: (ids: string[]) => void;
  /** Gives them to the reader. */
  onTake: (ids: string[]) => void;
  onNearEnd: () => void;
  onHold: (hold: boolean) => void;
};

export function IncidentList(props: Props) {
  const { rows, total, place, onPlace, selection, choosing, onAcknowledge, onNearEnd, onHold } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const rowHeight = useRowHeight();
  const { user } = useMe();
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 5,
    initialOffset: place.offset,
    getItemKey: (index) => rows[index]?.incident.id ?? index,
  });
  useEffect(() => {
    if (rowHeight) virtual.measure();
  }, [rowHeight, virtual]);
  const visible = virtual.getVirtualItems();
  const lastSeen = visible.at(-1)?.index ?? 0;
  useEffect(() => {
    if (rows.length > 0 && lastSeen >= rows.length - 20) onNearEnd();
  }, [lastSeen, rows.length, onNearEnd]);
  const { active, setActive } = useActiveRow(rows, place.row, scroller, selection.add, (index) =>
    virtual.scrollToIndex(index),
  );
  const current = rows[active]?.incident.id;
  useEffect(() => {
    if (current) onPlace({ row: current });
  }, [current, onPlace]);
  useKeys('Incident list', [
    { keys: 'a', label: 'Acknowledge', run: () => onAcknowledge(idsToAct(selection.ids, current)) },
    { keys: 'm', label: 'Assign to me', run: () => props.onTake(idsToAct(selection.ids, current)) },
    { keys: 'x', label: 'Select', run: () => current && selection.toggle(current) },
  ]);
  return (
    <div
      ref={scroller}
      className="min-h-0 flex-1 overflow-y-auto overscroll-contain short:h-dvh short:flex-none short:overscroll-auto"
      onScroll={(event) => onPlace({ offset: event.currentTarget.scrollTop })}
      onPointerEnter={() => onHold(true)}
      onPointerLeave={() => onHold(false)}
      onFocus={(event) => {
        onHold(true);
        const row = event.target.closest<HTMLElement>('[data-index]');
        if (row) setActive(Number(row.dataset.index));
      }}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) onHold(false);
      }}
    >
      <div
        role="grid"
        aria-label={`Incidents, ${counted(rows.length, 'row')}`}
        aria-rowcount={total}
        className="relative w-full"
        style={{ height: virtual.getTotalSize() }}
      >
        {visible.map((item) => {
          const row = rows[item.index];
          if (!row) return null;
          return (
            <div
              key={item.key}
              role="row"
              aria-rowindex={item.index + 1}
              aria-selected={selection.ids.has(row.incident.id)}
              data-index={item.index}
              className="absolute inset-x-0 top-0"
              style={{ height: item.size, transform: `translateY(${item.start}px)` }}
            >
              <IncidentRow
                incident={row.incident}
                gone={row.gone}
                selected={selection.ids.has(row.incident.id)}
                active={item.index === active}
                choosing={choosing}
                onSelect={selection.toggle}
                me={user}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** What an action on the list is about: the selection, else the row one stands on. */
function idsToAct(selected: ReadonlySet<string>, current: string | undefined): string[] {
  if (selected.size > 0) return [...selected];
  return current ? [current] : [];
}

/** The row that j and k move, and which then has the focus. */
function useActiveRow(
  rows: readonly ShownRow[],
  first: string | undefined,
  scroller: RefObject<HTMLDivElement | null>,
  onExtend: (ids: string[]) => void,
  show: (index: number) => void,
) {
  const [active, setActive] = useState(() => rows.findIndex((row) => row.incident.id === first));
  const move = (step: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, active + step));
    setActive(next);
    show(next);
    requestAnimationFrame(() => {
      focusRow(scroller.current, next);
      scroller.current?.scrollIntoView({ block: 'nearest' });
    });
  };
  const began = useRef(active);
  useEffect(() => {
    // Back in the list: on the row one left, unless the reader is somewhere else already.
    const frame = requestAnimationFrame(() => {
      if (document.activeElement && document.activeElement !== document.body) return;
      focusRow(scroller.current, began.current);
    });
    return () => cancelAnimationFrame(frame);
  }, [scroller]);
  const extend = (step: number) => {
    const ids = [rows[active], rows[active + step]].flatMap((row) => (row ? [row.incident.id] : []));
    onExtend(ids);
    move(step);
  };
  useKeys('Incident list', [
    { keys: 'j', label: 'Next incident', run: () => move(1) },
    { keys: 'k', label: 'Previous incident', run: () => move(-1) },
    { keys: 'J', label: 'Select on to the next', run: () => extend(1) },
    { keys: 'K', label: 'Select on to the previous', run: () => extend(-1) },
    { keys: 'o', label: 'Open (or Enter)', run: () => openActive(scroller.current, active) },
  ]);
  return { active, setActive };
}

function focusRow(scroller: HTMLElement | null, index: number): void {
  scroller?.querySelector<HTMLElement>(`[data-index="${index}"] a`)?.focus({ preventScroll: true });
}

function openActive(scroller: HTMLElement | null, index: number): void {
  scroller?.querySelector<HTMLElement>(`[data-index="${index}"] a`)?.click();
}

function useRowHeight(): number {
  const [height, setHeight] = useState(() => (phone.matches ? PHONE_ROW : DESK_ROW));
  useEffect(() => {
    const follow = () => setHeight(phone.matches ? PHONE_ROW : DESK_ROW);
    phone.addEventListener('change', follow);
    return () => phone.removeEventListener('change', follow);
  }, []);
  return height;
}
