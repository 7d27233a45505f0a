/** A few choices side by side, one of them taken. */
import { type ReactNode, useId } from 'react';
import { cx } from './cx';

export function Segmented<T extends string>({
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
  const name = useId();
  return (
    <fieldset className="inline-flex rounded-md border border-control/60 bg-surface p-0.5">
      <legend className="sr-only">{label}</legend>
      {options.map((option) => (
        <label
          key={option.value}
          className={cx(
            'relative flex h-7 cursor-pointer items-center gap-1.5 rounded px-2.5 text-[13px] max-md:h-9',
            'has-[:focus-visible]:outline-2 has-[:focus-visible]:outline-focus',
            option.value === value
              ? 'bg-raised font-medium text-text shadow-sm'
              : 'text-muted hover:text-text',
          )}
        >
          <input
            type="radio"
            name={name}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
            className="absolute inset-0 cursor-pointer opacity-0"
          />
          {option.label}
        </label>
      ))}
    </fieldset>
  );
}
