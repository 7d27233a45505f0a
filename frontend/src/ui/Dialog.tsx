/** A dialog on a desk, a sheet from below on a phone. */
import { Dialog as Base } from '@base-ui/react/dialog';
import { X } from 'lucide-react';
import { type ReactNode, useRef, useState } from 'react';
import { Button, IconButton } from './Button';
import { cx } from './cx';

type Props = {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
  wide?: boolean;
  /** What would be lost by closing it now; then a stray click or Esc asks first. Its own buttons do not. */
  loses?: string | undefined;
};

/** Where one begins: the first input, else the last button, which does what the dialog is for. */
const FIRST = 'input:not([type="radio"]), textarea, select, input, button:last-of-type';

export function Dialog({ open, onClose, title, description, children, wide = false, loses }: Props) {
  const body = useRef<HTMLDivElement>(null);
  const [asking, setAsking] = useState(false);
  const leave = () => (loses ? setAsking(true) : onClose());
  return (
    <Base.Root open={open} onOpenChange={(next) => !next && leave()}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-backdrop transition-opacity duration-150 data-[ending-style]:opacity-0 data-[starting-style]:opacity-0" />
        <Base.Popup
          data-takes-keys
          initialFocus={() => body.current?.querySelector<HTMLElement>(FIRST) ?? true}
          className={cx(
            'fixed z-50 flex max-h-[90dvh] flex-col bg-raised shadow-float outline-none transition duration-150',
            'max-md:inset-x-0 max-md:bottom-0 max-md:rounded-t-2xl max-md:pb-[env(safe-area-inset-bottom)] max-md:data-[starting-style]:translate-y-8',
            'md:top-[12vh] md:left-1/2 md:max-h-[78vh] md:w-full md:-translate-x-1/2 md:rounded-xl md:border md:border-hairline md:data-[starting-style]:-translate-y-2',
            'data-[ending-style]:opacity-0 data-[starting-style]:opacity-0',
            wide ? 'md:max-w-3xl' : 'md:max-w-lg',
          )}
        >
          <header className="flex items-start gap-3 px-5 pt-4 pb-3">
            <div className="min-w-0 flex-1">
              <Base.Title className="font-semibold text-base">{title}</Base.Title>
              {description && (
                <Base.Description className="mt-1 text-muted text-sm" render={<div />}>
                  {description}
                </Base.Description>
              )}
            </div>
            <Base.Close render={<IconButton label="Close" className="-mr-2" />}>
              <X className="size-4" aria-hidden="true" />
            </Base.Close>
          </header>
          <div ref={body} className="overflow-y-auto px-5 pb-5">
            {children}
          </div>
          {asking && loses && <Loss what={loses} onStay={() => setAsking(false)} onLeave={onClose} />}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

function Loss({ what, onStay, onLeave }: { what: string; onStay: () => void; onLeave: () => void }) {
  return (
    <div
      role="alert"
      className="flex flex-wrap items-center gap-2 border-hairline border-t bg-medium-fill/10 px-5 py-3 text-sm"
    >
      <p className="min-w-40 flex-1 max-md:basis-full">{what}</p>
      <Button autoFocus onClick={onStay}>
        Go back
      </Button>
      <Button look="danger" onClick={onLeave}>
        Close anyway
      </Button>
    </div>
  );
}

/** The row of buttons that ends a dialog. */
export function DialogActions({ children }: { children: ReactNode }) {
  return <div className="mt-5 flex flex-wrap items-center justify-end gap-2">{children}</div>;
}
