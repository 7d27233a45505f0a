/** Labelled inputs. The label is required, so no input is ever unnamed. */
import { type ComponentProps, type ReactNode, useId } from 'react';
import { cx } from './cx';

type FieldProps = { label: string; hint?: ReactNode; error?: string | undefined; hideLabel?: boolean };

const BOX =
  'w-full rounded-md border bg-page px-2.5 text-text transition-colors placeholder:text-muted hover:border-text/60 aria-invalid:border-critical max-md:text-base md:text-sm';

export function TextField({
  label,
  hint,
  error,
  hideLabel = false,
  className,
  ...rest
}: FieldProps & ComponentProps<'input'>) {
  const id = useId();
  return (
    <Labelled id={id} label={label} hint={hint} error={error} hideLabel={hideLabel}>
      <input
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={hint || error ? `${id}-note` : undefined}
        {...rest}
        className={cx(BOX, 'h-9 border-control max-md:h-11', className)}
      />
    </Labelled>
  );
}

export function TextArea({
  label,
  hint,
  error,
  hideLabel = false,
  className,
  ...rest
}: FieldProps & ComponentProps<'textarea'>) {
  const id = useId();
  return (
    <Labelled id={id} label={label} hint={hint} error={error} hideLabel={hideLabel}>
      <textarea
        id={id}
        rows={3}
        aria-invalid={error ? true : undefined}
        aria-describedby={hint || error ? `${id}-note` : undefined}
        {...rest}
        className={cx(BOX, 'block resize-y border-control py-2', className)}
      />
    </Labelled>
  );
}

export function SelectField({
  label,
  hint,
  error,
  hideLabel = false,
  className,
  children,
  ...rest
}: FieldProps & ComponentProps<'select'>) {
  const id = useId();
  return (
    <Labelled id={id} label={label} hint={hint} error={error} hideLabel={hideLabel}>
      <select id={id} {...rest} className={cx(BOX, 'h-9 border-control pr-2 max-md:h-11', className)}>
        {children}
      </select>
    </Labelled>
  );
}

function Labelled({
  id,
  label,
  hint,
  error,
  hideLabel,
  children,
}: FieldProps & { id: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <label htmlFor={id} className={hideLabel ? 'sr-only' : 'mb-1 block font-medium text-[13px]'}>
        {label}
      </label>
      {children}
      {(error || hint) && (
        <p id={`${id}-note`} className={cx('mt-1 text-[13px]', error ? 'text-critical' : 'text-muted')}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}

/** What a form says when the server refused it. */
export function FormError({ children }: { children: ReactNode }) {
  if (!children) return null;
  return (
    <p
      role="alert"
      className="rounded-md border border-critical/40 bg-critical/5 px-3 py-2 text-critical text-sm"
    >
      {children}
    </p>
  );
}

/** Something that is so or not, with the words beside its box. */
export function CheckField({
  label,
  hint,
  className,
  ...rest
}: Pick<FieldProps, 'label' | 'hint'> & ComponentProps<'input'>) {
  const id = useId();
  return (
    <div className={cx('min-w-0', className)}>
      <label htmlFor={id} className="flex min-h-6 items-center gap-2 text-sm max-md:min-h-10">
        <input
          type="checkbox"
          id={id}
          aria-describedby={hint ? `${id}-note` : undefined}
          {...rest}
          className="size-4 shrink-0 accent-(--primary) max-md:size-5"
        />
        {label}
      </label>
      {hint && (
        <p id={`${id}-note`} className="ml-6 text-[13px] text-muted max-md:ml-7">
          {hint}
        </p>
      )}
    </div>
  );
}
