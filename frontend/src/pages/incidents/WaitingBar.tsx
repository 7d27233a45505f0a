/** New incidents that wait while someone points at the list, told of below it, so that no row moves; a critical one is named. */
import { Link } from '@tanstack/react-router';
import { ArrowUp } from 'lucide-react';
import type { Incident } from '../../api/types';
import { SeverityBadge } from '../../components/Severity';
import { Button } from '../../ui/Button';

export function WaitingBar({ waiting, onShow }: { waiting: readonly Incident[]; onShow: () => void }) {
  const urgent = waiting.find((one) => one.severity === 'critical' && one.state === 'detected');
  return (
    <div
      role="status"
      className="flex shrink-0 items-center gap-3 border-hairline border-t bg-tint px-5 py-1.5 text-sm max-md:px-3"
    >
      {urgent && (
        <>
          <SeverityBadge severity="critical" />
          <Link
            to="/incidents/$ref"
            params={{ ref: `INC-${urgent.number}` }}
            className="min-w-0 truncate font-medium hover:underline"
          >
            {urgent.title}
          </Link>
        </>
      )}
      <Button size="sm" className="ml-auto" onClick={onShow}>
        <ArrowUp className="size-3.5" aria-hidden="true" />
        {waiting.length} new
      </Button>
    </div>
  );
}
