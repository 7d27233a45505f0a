/** Short messages in the corner. Never the only record of an error. */
import { Toast as Base } from '@base-ui/react/toast';
import { X } from 'lucide-react';
import type { ReactNode } from 'react';

const manager = Base.createToastManager();

type ToastText = {
  title: string;
  description?: ReactNode;
  action?: { label: string; run: () => void };
  tone?: 'plain' | 'bad';
};

/** Shows a message for some seconds. */
export function toast({ title, description, action, tone = 'plain' }: ToastText): void {
  const id = manager.add({
    title,
    description,
    type: tone,
    timeout: 8000,
    priority: tone === 'bad' ? 'high' : 'low',
    ...(action && {
      actionProps: {
        children: action.label,
        onClick: () => {
          action.run();
          manager.close(id);
        },
      },
    }),
  });
}

export function Toaster({ children }: { children: ReactNode }) {
  return (
    <Base.Provider toastManager={manager} limit={3}>
      {children}
      <Base.Portal>
        <Base.Viewport className="fixed right-4 bottom-4 z-[60] flex w-[min(24rem,calc(100vw-2rem))] flex-col gap-2 outline-none max-md:bottom-20">
          <List />
        </Base.Viewport>
      </Base.Portal>
    </Base.Provider>
  );
}

function List() {
  const { toasts } = Base.useToastManager();
  return toasts.map((one) => (
    <Base.Root
      key={one.id}
      toast={one}
      className="rounded-lg border border-hairline bg-raised shadow-float transition duration-200 data-[ending-style]:translate-x-4 data-[starting-style]:translate-y-3 data-[ending-style]:opacity-0 data-[starting-style]:opacity-0 data-[limited]:hidden"
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
