/** One number that matters, and the incidents it was made of. */
import { Link } from '@tanstack/react-router';

type Props = { name: string; value: string; note: string; filter?: string };

export function Tile({ name, value, note, filter }: Props) {
  const inside = (
    <>
      <span className="block text-[13px] text-muted">{name}</span>
      <span className="mt-1 block font-semibold text-2xl tabular-nums tracking-tight">{value}</span>
      <span className="mt-0.5 block text-[13px] text-muted tabular-nums">{note}</span>
    </>
  );
  const box = 'block min-w-0 rounded-lg border border-hairline bg-raised px-4 py-3';
  if (filter === undefined) return <div className={box}>{inside}</div>;
  return (
    <Link to="/incidents" search={{ q: filter }} className={`${box} hover:border-control`}>
      {inside}
    </Link>
  );
}
