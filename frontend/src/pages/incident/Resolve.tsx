/** Resolving, which asks for the cause. */
import { actions } from '../../api/actions';
import type { Incident } from '../../api/types';
import { Remark } from '../../ui/Notice';
import { counted } from '../../util/numbers';
import { CauseDialog } from './CauseDialog';
import { isConflict, type useMove } from './move';

type Props = { incident: Incident; onClose: () => void; move: ReturnType<typeof useMove> };

export function Resolve({ incident, onClose, move }: Props) {
  return (
    <CauseDialog
      incident={incident}
      title={`Resolve INC-${incident.number}`}
      action="Resolve"
      then={() => actions.moveIncident({ id: incident.id, state: 'resolved' })}
      onDone={(saved) => {
        move.confirm(saved);
        onClose();
      }}
      onFailed={(error) => {
        if (!isConflict(error)) return;
        void move.explain('resolved', error);
        onClose();
      }}
      onClose={onClose}
    >
      {incident.open_alert_count > 0 && (
        <Remark tone="warn">
          {counted(incident.open_alert_count, 'alert is', 'alerts are')} still firing. Resolving closes the
          incident; a new episode opens another one.
        </Remark>
      )}
    </CauseDialog>
  );
}
