/** Short messages. Never the only record of an error. */
import { Toast as Base } from '@base-ui/react/toast';
import { X } from 'lucide-react';
import type { ReactNode } from 'react';

const manager = Base.createToastManager();

type ToastText = {
  title: string;
  description?: ReactNode;
  action?: { label: string; run: () => void };
  tone?: 'plain' | 'bad';
  /** What it is about: a newer message about the same takes its place. */
  about?: string;
  onClose?: () => void;
};

/** Shows a message for some seconds. */
export function toast({
  title,
  description,
  action,
  tone = 'plain',
  about = title,
  onClose,
}: ToastText): void {
  manager.add({
    id: about,
    title,
    description,
    type: tone,
    timeout: 8000,
    priority: tone === 'bad' ? 'high' : 'low',
    ...(onClose && { onClose }),
    actionProps: action && {
      children: action.label,
      onClick: () => {
        action.run();
        manager.close(about);
      },
    },
  });
}

export function Toaster({ children }: { children: ReactNode }) {
  return (
    <Base.Provider toastManager={manager} limit={2}>
      {children}
    </Base.Provider>
  );
}

/**
 * Where the messages appear: on a desk below the page, which makes room, so that nothing is covered; on a phone over
 * the header, because the page ends in the buttons at the thumb and those must not move.
 */
export function ToastPlace() {
  return (
    <Base.Viewport className="z-[60] flex flex-col gap-2 outline-none max-md:fixed max-md:inset-x-2 max-md:top-1 md:items-end md:border-hairline md:px-4 md:not-empty:border-t md:not-empty:py-2">
      <List />
    </Base.Viewport>
  );
}

function List() {
  const { toasts } = Base.useToastManager();
  return toasts.map((one) => (
    <Base.Root
      key={one.id}
      toast={one}
      className="w-full rounded-lg border border-hairline bg-raised shadow-float transition md:w-96 duration-200 data-[ending-style]:translate-x-4 data-[starting-style]:translate-y-3 data-[ending-style]:opacity-0 data-[starting-style]:opacity-0 data-[limited]:hidden"
    >
      <Base.Content className="flex items-start gap-3 py-2.5 pr-2 pl-3.5">
        <div className="min-w-0 flex-1 py-0.5">
          <Base.Title
            className={
              one.type === 'bad'
                ? 'font-medium text-critical text-sm'
                : 'font-medium text-sm [overflow-wrap:anywhere]'
            }
            render={<p />}
          />
          <Base.Description className="mt-0.5 text-[13px] text-muted" render={<div />} />
        </div>
        {one.actionProps && (
          <Base.Action className="mt-0.5 h-8 shrink-0 rounded-md px-2 font-medium text-link text-sm hover:bg-hover" />
        )}
        <Base.Close
          aria-label="Dismiss"
          title="Dismiss"
          className="inline-flex size-8 shrink-0 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-text max-md:size-10"
        >
          <X className="size-4" aria-hidden="true" />
        </Base.Close>
      </Base.Content>
    </Base.Root>
  ));
}
