/** A menu that opens from a button. */
import { Menu as Base } from '@base-ui/react/menu';
import type { ReactElement, ReactNode } from 'react';
import { cx } from './cx';

export function Menu({
  trigger,
  children,
  align = 'end',
  side = 'bottom',
  open,
  onOpenChange,
}: {
  trigger: ReactElement;
  children: ReactNode;
  align?: 'start' | 'end';
  side?: 'bottom' | 'top';
  /** For a menu that opens by a key as well. */
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
}) {
  return (
    <Base.Root modal={false} {...(onOpenChange && { open, onOpenChange: (next) => onOpenChange(next) })}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner align={align} side={side} sideOffset={6} className="z-50">
          <Base.Popup
            data-takes-keys
            className="max-h-(--available-height) min-w-48 max-w-80 overflow-y-auto rounded-lg border border-hairline bg-raised p-1 shadow-float outline-none"
          >
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

const ITEM =
  'flex min-h-8 w-full cursor-default select-none items-center gap-2 rounded-md px-2.5 text-left text-sm outline-none data-[highlighted]:bg-hover max-md:min-h-11';

export function MenuItem({
  children,
  onClick,
  danger = false,
  hint,
}: {
  children: ReactNode;
  onClick: () => void;
  danger?: boolean;
  hint?: string;
}) {
  return (
    <Base.Item className={cx(ITEM, danger && 'text-critical')} onClick={onClick}>
      <span className="flex flex-1 items-center gap-2">{children}</span>
      {hint && <Key>{hint}</Key>}
    </Base.Item>
  );
}

/** One choice out of a few, marked in the menu. */
export function MenuChoice<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: readonly { value: T; label: ReactNode }[];
  onChange: (value: T) => void;
}) {
  return (
    <Base.Group>
      <Base.GroupLabel className="px-2.5 pt-2 pb-1 text-muted text-xs">{label}</Base.GroupLabel>
      <Base.RadioGroup value={value} onValueChange={(next: T) => onChange(next)}>
        {options.map((option) => (
          <Base.RadioItem key={option.value} value={option.value} className={ITEM} closeOnClick>
            <span className="flex-1 truncate">{option.label}</span>
            <Base.RadioItemIndicator>
              <span aria-hidden="true" className="text-link">
                ✓
              </span>
            </Base.RadioItemIndicator>
          </Base.RadioItem>
        ))}
      </Base.RadioGroup>
    </Base.Group>
  );
}

export function MenuSeparator() {
  return <Base.Separator className="my-1 h-px bg-hairline" />;
}

/** A key to press. */
export function Key({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-flex h-5 min-w-5 items-center justify-center rounded border border-hairline bg-surface px-1 font-sans text-[11px] text-muted">
      {children}
    </kbd>
  );
}
