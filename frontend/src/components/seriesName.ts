/** The shortest name that tells one series from the others beside it. */

type Labels = Record<string, string>;

export function seriesName(labels: Labels, among: readonly Labels[]): string {
  const telling = Object.keys(labels).filter(
    (key) => key !== '__name__' && among.some((other) => other[key] !== labels[key]),
  );
  const shown = telling.length > 0 ? telling : Object.keys(labels).filter((key) => key !== '__name__');
  const named = shown
    .sort()
    .slice(0, 3)
    .map((key) => `${key}="${labels[key]}"`)
    .join(', ');
  return named || labels.__name__ || 'value';
}
