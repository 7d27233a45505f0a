/** The two ends of a list of deliveries: what it is narrowed to, and how far back it reaches. */
import { Older } from '../../components/Older';
import { Instant } from '../../components/Time';
import { Button } from '../../ui/Button';
import { Segmented } from '../../ui/Segmented';
import { exact } from '../../util/numbers';
import { type Deliveries, OUTCOMES, type OutcomeChoice } from './deliveries';

const NAMES: Record<OutcomeChoice, string> = {
  all: 'All',
  refused: 'Refused',
  quarantined: 'Quarantined',
};

export function ChooseOutcome({ deliveries: { choice, setChoice } }: { deliveries: Deliveries }) {
  return (
    <Segmented
      label="Which deliveries"
      value={choice}
      options={OUTCOMES.map((value) => ({ value, label: NAMES[value] }))}
      onChange={setChoice}
    />
  );
}

/** The server knows no such filter, so what is narrowed is only what is loaded; that is said. */
export function Reach({ deliveries }: { deliveries: Deliveries }) {
  const { query, loaded = [], shown = [], choice, stands, newest } = deliveries;
  const oldest = loaded.at(-1);
  return (
    <Older query={query}>
      {oldest && (choice !== 'all' || query.hasNextPage || stands) && (
        <span>
          {choice !== 'all' && `${exact(shown.length)} of `}
          {query.hasNextPage ? `the latest ${exact(loaded.length)}` : `all ${exact(loaded.length)}`}, back to{' '}
          <Instant at={oldest.received_at} />
        </span>
      )}
      {stands && (
        <Button look="ghost" title="New ones wait while older ones are shown" onClick={newest}>
          Newest only
        </Button>
      )}
    </Older>
  );
}
