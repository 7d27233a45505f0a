/** Labels as Prometheus writes them. */

export function LabelList({ labels }: { labels: Record<string, string> }) {
  return (
    <ul className="flex flex-wrap gap-1">
      {Object.entries(labels)
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([name, value]) => (
          <li
            key={name}
            className="max-w-full rounded border border-hairline bg-surface px-1.5 py-0.5 font-mono text-xs [overflow-wrap:anywhere]"
          >
            <bdi className="text-muted">{name}</bdi>
            <span className="text-muted">=</span>&quot;<bdi>{value}</bdi>&quot;
          </li>
        ))}
    </ul>
  );
}
