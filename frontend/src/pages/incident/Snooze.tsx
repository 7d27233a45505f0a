/** Putting an incident off, and taking it up again before its time. */
import { AlarmClock } from 'lucide-react';
import { useState } from 'react';
import { actions, useAction } from '../../api/actions';
import { sentenceOf } from '../../api/errors';
import type { Incident } from '../../api/types';
import { useNow } from '../../components/clock';
import { useKeys } from '../../components/keys';
import { useBlocked } from '../../components/me';
import { usePrefs } from '../../components/prefs';
import { Until } from '../../components/Time';
import { Button, IconButton } from '../../ui/Button';
import { Key, Menu, MenuItem, MenuSeparator } from '../../ui/Menu';
import { toast } from '../../ui/Toast';
import { minute, zoneName } from '../../util/time';
import { morning, PAUSES } from './pauses';

const READS = ['incident', 'incidents', 'steps', 'summary'] as const;

const failed = { onError: (error: unknown) => toast({ title: sentenceOf(error), tone: 'bad' }) };

/** How long to put it off; on a desk `s` opens it. */
export function SnoozeMenu({ incident, byKey = false }: { incident: Incident; byKey?: boolean }) {
  const [open, setOpen] = useState(false);
  const { zone } = usePrefs();
  const now = useNow(60_000);
  const snooze = useAction(actions.snooze, READS);
  const wake = useAction(actions.wake, READS);
  const usable = !useBlocked('engineer') && incident.open;
  useKeys(
    'Incident',
    byKey ? [{ keys: 's', label: 'Snooze or wake', run: () => usable && setOpen(true) }] : [],
  );
  if (!usable) return null;
  const { id } = incident;
  const until = morning(now);
  return (
    <Menu
      align="end"
      side="top"
      open={open}
      onOpenChange={setOpen}
      trigger={
        byKey ? (
          <Button className="!h-9" pending={snooze.isPending || wake.isPending}>
            Snooze
            <Key>s</Key>
          </Button>
        ) : (
          <IconButton label="Snooze" className="!size-12 border border-control/60">
            <AlarmClock className="size-4" aria-hidden="true" />
          </IconButton>
        )
      }
    >
      {incident.snoozed_until && (
        <>
          <MenuItem onClick={() => wake.mutate({ id }, failed)}>Wake now</MenuItem>
          <MenuSeparator />
        </>
      )}
      {PAUSES.map(({ minutes, label }) => (
        <MenuItem
          key={minutes}
          hint={minute(now + minutes * 60_000, zone, now)}
          onClick={() => snooze.mutate({ id, for_minutes: minutes }, failed)}
        >
          {label}
        </MenuItem>
      ))}
      <MenuItem
        hint={`${minute(until.at, zone, now)} ${zoneName(until.at, zone)}`}
        onClick={() => snooze.mutate({ id, until: new Date(until.at).toISOString() }, failed)}
      >
        {until.label}
      </MenuItem>
    </Menu>
  );
}

/** Until when it is put off, and the way out of it. */
export function Snoozed({ incident }: { incident: Incident }) {
  const wake = useAction(actions.wake, READS);
  const blocked = useBlocked('engineer');
  const { id, snoozed_until } = incident;
  return (
    <span aria-live="polite" className="inline-flex items-center gap-1.5 text-[13px] empty:hidden">
      {snoozed_until && (
        <>
          <AlarmClock className="size-4 text-muted" aria-hidden="true" />
          <span>
            Snoozed until <Until at={snoozed_until} zone />
          </span>
          {!blocked && (
            <>
              <span aria-hidden="true">·</span>
              <button
                type="button"
                disabled={wake.isPending}
                className="rounded text-link hover:underline max-md:min-h-10"
                onClick={() => wake.mutate({ id }, failed)}
              >
                {wake.isPending ? 'Waking it' : 'Wake now'}
              </button>
            </>
          )}
        </>
      )}
    </span>
  );
}
