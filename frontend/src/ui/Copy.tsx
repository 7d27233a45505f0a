/** Text made to be copied. */
import { Check, Copy as CopyIcon } from 'lucide-react';
import { useState } from 'react';
import { Button } from './Button';
import { cx } from './cx';

type CopyProps = { text: string; label?: string; onCopied?: (() => void) | undefined };

export function CopyButton({ text, label = 'Copy', onCopied }: CopyProps) {
  const [copied, setCopied] = useState(false);
  const Icon = copied ? Check : CopyIcon;
  return (
    <Button
      size="sm"
      onClick={() => {
        void navigator.clipboard?.writeText(text).then(() => {
          setCopied(true);
          onCopied?.();
          setTimeout(() => setCopied(false), 2000);
        });
      }}
    >
      <Icon className="size-3.5" aria-hidden="true" />
      <span aria-live="polite">{copied ? 'Copied' : label}</span>
    </Button>
  );
}

/** Code as it is, scrolling sideways unless it is to `wrap`. */
export function Code({
  text,
  label,
  copy = true,
  wrap = false,
  className,
  onCopied,
}: {
  text: string;
  label: string;
  copy?: boolean;
  wrap?: boolean;
  className?: string;
  /** Told when it was copied, by the button or by hand. */
  onCopied?: () => void;
}) {
  return (
    <div className={cx('overflow-hidden rounded-md border border-hairline bg-surface', className)}>
      {copy && (
        <div className="flex items-center justify-between gap-2 border-hairline border-b py-1 pr-1 pl-3">
          <span className="truncate font-mono text-muted text-xs">{label}</span>
          <CopyButton text={text} onCopied={onCopied} />
        </div>
      )}
      {/* No landmark: a page has many of these, some with one name. */}
      {/* biome-ignore lint/a11y/useSemanticElements: it is no set of fields */}
      <div
        role="group"
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
        tabIndex={0}
        onCopy={onCopied}
        className="overflow-auto"
      >
        <pre
          className={cx(
            'px-3 py-2.5 font-mono text-xs leading-5',
            wrap ? 'whitespace-pre-wrap [overflow-wrap:anywhere]' : 'w-max min-w-full',
          )}
        >
          {text}
        </pre>
      </div>
    </div>
  );
}
