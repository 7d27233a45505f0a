/** Labels as Prometheus writes them. */
import { Link } from '@tanstack/react-router';
import { cx } from '../../ui/cx';
import { labelFilter } from '../../util/filterText';

const LOOK =
  'block max-w-full rounded border border-hairline bg-surface px-1.5 py-0.5 font-mono text-xs [overflow-wrap:anywhere]';

type Props = {
  labels: Record<string, string>;
  /** Whether each leads to all incidents that have it. */
  linked?: boolean;
};

export function LabelList({ labels, linked = false }: Props) {
  return (
    <ul className="flex flex-wrap gap-1">
      {Object.entries(labels)
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([name, value]) => (
          <li key={name} className="max-w-full">
            {linked && value !== '' ? (
              <Link
                to="/incidents"
                search={{ q: labelFilter(name, value) }}
                title="All incidents with this label"
                className={cx(LOOK, 'hover:border-control hover:bg-hover')}
              >
                <Pair name={name} value={value} />
              </Link>
            ) : (
              <span className={LOOK}>
                <Pair name={name} value={value} />
              </span>
            )}
          </li>
        ))}
    </ul>
  );
}

function Pair({ name, value }: { name: string; value: string }) {
  return (
    <>
      <bdi className="text-muted">{name}</bdi>
      <span className="text-muted">=</span>&quot;<bdi>{value}</bdi>&quot;
    </>
  );
}
