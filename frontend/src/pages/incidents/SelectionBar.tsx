/** What can be done to the selected rows. It has its own place below the list and covers none of them. */
import { useState } from 'react';
import type { Incident, State } from '../../api/types';
import { useBlocked } from '../../components/me';
import { Button } from '../../ui/Button';
import { counted, exact } from '../../util/numbers';
import type { ChangeOf } from './bulk';
import { ResolveSelected, type Why } from './ResolveSelected';

type Props = {
  count: number;
  /** Those of them that are loaded. */
  chosen: readonly Incident[];
  /** How many rows are loaded, and whether that is all there are. */
  loaded: number;
  whole: boolean;
  pending: boolean;
  onAll: () => void;
  onMove: (state: State, changeOf?: ChangeOf) => void;
  onClear: () => void;
};

export function SelectionBar({ count, chosen, loaded, whole, pending, onAll, onMove, onClear }: Props) {
  const [resolving, setResolving] = useState(false);
  const [why, setWhy] = useState<Why>({ cause: '', fix: '' });
  const blocked = useBlocked('engineer') ?? (count === 0 ? 'Select an incident first.' : undefined);
  return (
    <section
      aria-label="Selection"
      className="flex shrink-0 flex-wrap items-center gap-2 border-hairline border-t bg-raised px-5 py-2 max-md:px-3"
    >
      <span className="mr-1 whitespace-nowrap text-sm" aria-live="polite">
        {counted(count, 'incident')} selected
      </span>
      {count < loaded && (
        <Button look="ghost" onClick={onAll} title={whole ? undefined : 'More follow as you scroll'}>
          {whole ? `Select all ${exact(loaded)}` : `Select the ${exact(loaded)} loaded`}
        </Button>
      )}
      <span className="ml-auto flex gap-2 max-md:w-full">
        <Button
          look="primary"
          pending={pending}
          blocked={blocked}
          onClick={() => onMove('acknowledged')}
          className="max-md:flex-1"
        >
          Acknowledge
        </Button>
        <Button
          pending={pending}
          blocked={blocked}
          onClick={() => setResolving(true)}
          className="max-md:flex-1"
        >
          Resolve
        </Button>
        <Button look="ghost" onClick={onClear}>
          Clear
        </Button>
      </span>
      {resolving && (
        <ResolveSelected
          count={count}
          chosen={chosen}
          why={why}
          onWhy={setWhy}
          onClose={() => setResolving(false)}
          onResolve={(changeOf) => onMove('resolved', changeOf)}
        />
      )}
    </section>
  );
}
