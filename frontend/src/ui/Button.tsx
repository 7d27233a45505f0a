/** Buttons: one primary action a view, the rest quiet. */
import { LoaderCircle } from 'lucide-react';
import { type ComponentProps, useId } from 'react';
import { cx } from './cx';
import { toast } from './Toast';

export type ButtonLook = 'primary' | 'secondary' | 'ghost' | 'danger';

const LOOKS: Record<ButtonLook, string> = {
  primary: 'bg-primary text-on-primary hover:bg-primary-hover border border-transparent',
  secondary: 'bg-raised text-text border border-control/60 hover:bg-hover',
  ghost: 'text-muted border border-transparent hover:bg-hover hover:text-text',
  danger: 'bg-raised text-critical border border-critical/50 hover:bg-critical-fill hover:text-on-critical',
};

const SIZES = {
  sm: 'h-7 px-2 text-[13px] gap-1.5 max-md:h-9',
  md: 'h-8 px-3 text-[13px] gap-1.5 max-md:h-10 max-md:text-sm',
  lg: 'h-11 px-4 text-sm gap-2',
};

type Props = ComponentProps<'button'> & {
  look?: ButtonLook;
  size?: keyof typeof SIZES;
  pending?: boolean;
  /** Why the button cannot be used now; it stays visible and says so, to a pointer, a finger and a screen reader. */
  blocked?: string | undefined;
};

export function Button({
  look = 'secondary',
  size = 'md',
  pending = false,
  blocked,
  className,
  children,
  onClick,
  ...rest
}: Props) {
  const idle = pending || blocked !== undefined;
  const reason = useId();
  return (
    <>
      <button
        type="button"
        {...rest}
        className={buttonClass(look, size, className)}
        aria-disabled={idle || undefined}
        aria-busy={pending || undefined}
        aria-describedby={blocked ? reason : rest['aria-describedby']}
        title={blocked ?? rest.title}
        onClick={(event) => {
          if (!idle) return onClick?.(event);
          event.preventDefault();
          if (blocked) toast({ title: blocked });
        }}
      >
        {pending && <LoaderCircle className="size-4 animate-spin" aria-hidden="true" />}
        {children}
      </button>
      {blocked && (
        <span id={reason} hidden>
          {blocked}
        </span>
      )}
    </>
  );
}

/** The classes of a button, for links that look like one. */
export function buttonClass(look: ButtonLook, size: keyof typeof SIZES = 'md', extra?: string): string {
  return cx(
    'inline-flex shrink-0 select-none items-center justify-center whitespace-nowrap rounded-md font-medium transition-colors',
    'aria-disabled:cursor-not-allowed aria-disabled:opacity-55 disabled:opacity-55',
    LOOKS[look],
    SIZES[size],
    extra,
  );
}

/** A square button that shows only an icon; its label is for those who cannot see it, and the tooltip. */
export function IconButton({
  label,
  className,
  ...rest
}: Omit<ComponentProps<'button'>, 'aria-label'> & { label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={cx(
        'inline-flex size-8 shrink-0 items-center justify-center rounded-md text-muted transition-colors hover:bg-hover hover:text-text max-md:size-10',
        className,
      )}
    />
  );
}
