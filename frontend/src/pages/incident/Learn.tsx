/** Asks before the one move that has no way back. */
import type { Incident } from '../../api/types';
import { Confirm } from '../../components/Confirm';
import { counted } from '../../util/numbers';
import type { useMove } from './move';

type Props = { incident: Incident; onClose: () => void; move: ReturnType<typeof useMove> };

export function Learn({ incident, onClose, move }: Props) {
  const { number, root_cause, open_alert_count } = incident;
  return (
    <Confirm
      title={`Mark INC-${number} learned?`}
      action="Mark learned"
      pending={false}
      onConfirm={() => {
        onClose();
        move.run('learned');
      }}
      onClose={onClose}
    >
      This is final: it says that the lessons are drawn, and it cannot be reopened afterwards.
      {!root_cause && ' No root cause is written yet.'}
      {open_alert_count > 0 && ` ${counted(open_alert_count, 'alert is', 'alerts are')} still firing.`}
    </Confirm>
  );
}
