/** Text that may be far too long: a few lines of it, and a button for the rest when there is a rest. */
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { cx } from './cx';

const LINES = { 1: 'line-clamp-1', 3: 'line-clamp-3' };

export function Clamp({ lines, children }: { lines: keyof typeof LINES; children: ReactNode }) {
  const box = useRef<HTMLSpanElement>(null);
  const [open, setOpen] = useState(false);
  const [cut, setCut] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another text is cut anew
  useEffect(() => {
    const element = box.current;
    if (!element || open) return;
    const look = new ResizeObserver(() => setCut(element.scrollHeight > element.clientHeight + 1));
    look.observe(element);
    return () => look.disconnect();
  }, [open, children]);
  return (
    <>
      <span ref={box} className={cx('min-w-0 [overflow-wrap:anywhere]', open ? 'block' : LINES[lines])}>
        <bdi>{children}</bdi>
      </span>
      {cut && (
        <button
          type="button"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
          className="rounded font-normal text-[13px] text-link tracking-normal hover:underline"
        >
          {open ? 'Show less' : 'Show all'}
        </button>
      )}
    </>
  );
}
