/** From single notifications to who was told: each channel once, with what it was told last. */
import type { Notification } from '../../api/types';

export type Told = {
  id: string;
  name: string;
  kind: Notification['channel_kind'];
  /** When the first of it arrived there; null when nothing has. */
  at: string | null;
  /** What newer has not arrived; `final` once it is not tried again. */
  trouble: { text: string; final: boolean } | null;
};

/** The channels in the order in which they were first told. The server lists the newest first. */
export function toldChannels(notifications: readonly Notification[]): Told[] {
  const byChannel = new Map<string, Notification[]>();
  for (const one of notifications.toReversed())
    byChannel.set(one.channel_id, [one, ...(byChannel.get(one.channel_id) ?? [])]);
  return [...byChannel.values()].flatMap((newestFirst) => {
    const [last] = newestFirst;
    if (!last) return [];
    const arrived = newestFirst.findLast((one) => one.status === 'sent');
    return {
      id: last.channel_id,
      name: last.channel_name,
      kind: last.channel_kind,
      at: arrived?.sent_at ?? arrived?.created_at ?? null,
      trouble: troubleOf(last),
    };
  });
}

function troubleOf({ status, detail, last_status_code, attempts }: Notification): Told['trouble'] {
  const why = detail || (last_status_code === null ? '' : `answered ${last_status_code}`);
  const because = why && `: ${why}`;
  if (status === 'failed') return { text: `failed${because}`, final: true };
  if (status === 'dropped') return { text: `not sent${because}`, final: true };
  if (status === 'waiting' && attempts > 0) return { text: `not yet${because}`, final: false };
  if (status === 'waiting') return { text: 'on its way', final: false };
  return null;
}
