/** What can be done to the selected rows. */
import type { State } from '../../api/types';
import { useBlocked } from '../../components/me';
import { Button } from '../../ui/Button';
import { counted } from '../../util/numbers';

type Props = { count: number; pending: boolean; onMove: (state: State) => void; onClear: () => void };

export function SelectionBar({ count, pending, onMove, onClear }: Props) {
  const blocked = useBlocked('engineer');
  return (
    <section
      aria-label="Selection"
      className="absolute bottom-4 left-1/2 z-20 flex -translate-x-1/2 items-center gap-2 rounded-lg border border-hairline bg-raised py-2 pr-2 pl-4 shadow-float"
    >
      <span className="mr-2 whitespace-nowrap text-sm" aria-live="polite">
        {counted(count, 'incident')} selected
      </span>
      <Button look="primary" pending={pending} blocked={blocked} onClick={() => onMove('acknowledged')}>
        Acknowledge
      </Button>
      <Button pending={pending} blocked={blocked} onClick={() => onMove('resolved')}>
        Resolve
      </Button>
      <Button look="ghost" onClick={onClear}>
        Clear
      </Button>
    </section>
  );
}
