/** What can be done to the selected rows. It has its own place below the list and covers none of them. */
import { Ellipsis, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import type { Incident } from '../../api/types';
import { useBlocked } from '../../components/me';
import { useWriteWait } from '../../components/WaitingNote';
import { Button, IconButton } from '../../ui/Button';
import { Menu, MenuItem } from '../../ui/Menu';
import { counted, exact } from '../../util/numbers';
import { AssignSelected } from './AssignSelected';
import type { Failure, Progress } from './bulk';
import type { ChangeOf, Person } from './deeds';
import { MergeSelected } from './MergeSelected';
import { ResolveSelected, type Why } from './ResolveSelected';

type Props = {
  count: number;
  /** Those of them that are loaded. */
  chosen: readonly Incident[];
  /** How many rows are loaded, and whether that is all there are. */
  loaded: number;
  whole: boolean;
  /** How far what is done to them is, while it is. */
  progress: Progress | null;
  failure: Failure | null;
  onStop: () => void;
  onDismiss: () => void;
  onAll: () => void;
  onAcknowledge: () => void;
  onResolve: (changeOf: ChangeOf) => void;
  onAssign: (person: Person) => void;
  onMerge: (into: Incident) => void;
  onClear: () => void;
};

export function SelectionBar(props: Props) {
  const { count, chosen, loaded, whole, progress, failure, onAll } = props;
  const [asking, setAsking] = useState<Asking>(null);
  const [why, setWhy] = useState<Why>({ cause: '', fix: '' });
  const close = () => setAsking(null);
  return (
    <section
      aria-label="Selection"
      className="flex shrink-0 flex-wrap items-center gap-2 border-hairline border-t bg-raised px-5 py-2 max-md:px-3"
    >
      {failure && <Failed failure={failure} onDismiss={props.onDismiss} />}
      {progress ? (
        <Moving progress={progress} onStop={props.onStop} />
      ) : (
        <>
          <span className="mr-1 whitespace-nowrap text-sm" aria-live="polite">
            {counted(count, 'incident')} selected
          </span>
          {count < loaded && (
            <Button look="ghost" onClick={onAll} title={whole ? undefined : 'More follow as you scroll'}>
              {whole ? `Select all ${exact(loaded)}` : `Select the ${exact(loaded)} loaded`}
            </Button>
          )}
          <Actions {...props} onAsk={setAsking} />
        </>
      )}
      {asking === 'resolve' && (
        <ResolveSelected
          count={count}
          chosen={chosen}
          why={why}
          onWhy={setWhy}
          onClose={close}
          onResolve={props.onResolve}
        />
      )}
      {asking === 'assign' && (
        <AssignSelected count={count} chosen={chosen} onAssign={props.onAssign} onClose={close} />
      )}
      {asking === 'merge' && <MergeSelected chosen={chosen} onMerge={props.onMerge} onClose={close} />}
    </section>
  );
}

type Asking = 'resolve' | 'assign' | 'merge' | null;

/** On a phone the rarer ones are in a menu. */
function Actions(props: Props & { onAsk: (what: Asking) => void }) {
  const { count, chosen, onAcknowledge, onAsk, onClear } = props;
  const blocked = useBlocked('engineer') ?? (count === 0 ? 'Select an incident first.' : undefined);
  const single = chosen.length < 2 ? 'Select two incidents or more to merge them.' : undefined;
  return (
    <span className="ml-auto flex gap-2 max-md:w-full">
      <Button look="primary" blocked={blocked} onClick={onAcknowledge} className="max-md:flex-1">
        Acknowledge
      </Button>
      <Button blocked={blocked} onClick={() => onAsk('resolve')} className="max-md:flex-1">
        Resolve
      </Button>
      <span className="contents max-md:hidden">
        <Button blocked={blocked} onClick={() => onAsk('assign')}>
          Assign
        </Button>
        <Button blocked={blocked ?? single} onClick={() => onAsk('merge')}>
          Merge
        </Button>
      </span>
      {!blocked && (
        <Menu
          side="top"
          trigger={
            <IconButton label="More for the selection" className="md:hidden">
              <Ellipsis className="size-4" aria-hidden="true" />
            </IconButton>
          }
        >
          <MenuItem onClick={() => onAsk('assign')}>Assign</MenuItem>
          {!single && <MenuItem onClick={() => onAsk('merge')}>Merge into one</MenuItem>}
        </Menu>
      )}
      <Button look="ghost" onClick={onClear}>
        Clear
      </Button>
    </span>
  );
}

function Moving({ progress: { done, of }, onStop }: { progress: Progress; onStop: () => void }) {
  const wait = useWriteWait();
  return (
    <>
      <progress
        aria-label="Done"
        className="h-1.5 w-40 appearance-none overflow-hidden rounded-full bg-hover max-md:w-24 [&::-moz-progress-bar]:bg-primary [&::-webkit-progress-bar]:bg-hover [&::-webkit-progress-value]:bg-primary"
        max={of}
        value={done}
      />
      <span role="status" className="text-sm tabular-nums">
        {exact(done)} of {exact(of)}
        {wait !== null && <span className="text-muted">, waiting {wait} s</span>}
      </span>
      <Button className="ml-auto" onClick={onStop}>
        Stop
      </Button>
    </>
  );
}

/** A message that goes by itself is not the only place where a failure is told. */
function Failed({ failure, onDismiss }: { failure: Failure; onDismiss: () => void }) {
  return (
    <div className="flex w-full items-start gap-2 text-sm">
      <TriangleAlert className="mt-0.5 size-4 shrink-0 text-critical" aria-hidden="true" />
      <p className="min-w-0 flex-1 [overflow-wrap:anywhere]">
        <span className="font-medium text-critical">{failure.title}.</span> {failure.description}
      </p>
      <Button size="sm" look="ghost" onClick={onDismiss}>
        Dismiss
      </Button>
    </div>
  );
}
