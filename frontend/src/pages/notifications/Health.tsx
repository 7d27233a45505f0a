/** Whether a channel delivers, in words: since when, and why not. */
import type { Channel } from '../../api/types';
import { TimeAgo } from '../../components/Time';
import { cx } from '../../ui/cx';
import { count } from '../../util/numbers';
import { sentence } from '../../util/sentence';

const DOTS: Record<Channel['health']['status'], string> = {
  untried: 'bg-control',
  ok: 'bg-resolved',
  failing: 'bg-critical',
  off: 'border border-control',
};

/** One line with a dot; `whole` says also what the last error was when all is well again or the channel is off. */
export function Health({ channel, whole = false }: { channel: Channel; whole?: boolean }) {
  const { health } = channel;
  const status = channel.enabled ? health.status : 'off';
  return (
    <span className="inline-flex min-w-0 items-baseline gap-2">
      <span
        aria-hidden="true"
        className={cx('relative -top-px size-2 shrink-0 rounded-full', DOTS[status])}
      />
      <span className="min-w-0 [overflow-wrap:anywhere]">
        <Words channel={channel} status={status} />
        {whole && status !== 'failing' && health.last_error && (
          <span className="block text-muted">Its last failure: {sentence(health.last_error)}</span>
        )}
      </span>
    </span>
  );
}

function Words({ channel: { health }, status }: { channel: Channel; status: Channel['health']['status'] }) {
  const { last_success_at, failing_since, last_error, waiting } = health;
  const queue = waiting > 0 && `, ${count(waiting)} waiting`;
  if (status === 'off') return <span className="text-muted">Off, it is told nothing{queue}</span>;
  if (status === 'failing')
    return (
      <span>
        <span className="font-medium text-critical">
          Failing{failing_since && <TimeAgo at={failing_since} prefix=" for " />}
        </span>
        {last_error && `: ${last_error}`}
        {queue}
      </span>
    );
  if (status === 'ok' && last_success_at)
    return (
      <>
        Delivered <TimeAgo at={last_success_at} suffix=" ago" />
        {queue}
      </>
    );
  return <span className="text-muted">Nothing sent yet{queue}</span>;
}
