/** Asks before a page is left, or reloaded, with something on it that is not saved. */
import { useBlocker } from '@tanstack/react-router';
import { Confirm } from './Confirm';

export function LeaveGuard({ when, children }: { when: boolean; children: string }) {
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: ({ current, next }) => current.pathname !== next.pathname,
    enableBeforeUnload: when,
    disabled: !when,
    withResolver: true,
  });
  if (status !== 'blocked') return null;
  return (
    <Confirm
      title="Leave without saving?"
      action="Leave without saving"
      danger
      pending={false}
      onConfirm={proceed}
      onClose={reset}
    >
      {children}
    </Confirm>
  );
}
