/** A time series in the page's zone and theme: shaded incident, dotted threshold, dashed change markers. */
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Series } from '../api/types';
import { cx } from '../ui/cx';
import { measured } from '../util/numbers';
import { clock, zoneName } from '../util/time';
import { drawing, legend, type Pointed } from './chartDrawing';
import { useDark, usePrefs } from './prefs';

/** An instant worth marking, milliseconds. */
export type Marker = { at: number; label: string };

export type ChartProps = {
  series: readonly Series[];
  unit: string | null;
  threshold?: number | null;
  /** The time the incident lasted, milliseconds. */
  shade?: { from: number; to: number } | undefined;
  markers?: readonly Marker[];
  /** What the picture shows, in a sentence with its numbers. */
  alt: string;
  height?: number;
  className?: string;
};

export function Chart(props: ChartProps) {
  const { series, unit, alt, height = 180, className } = props;
  const holder = useRef<HTMLDivElement>(null);
  const { zone } = usePrefs();
  const dark = useDark();
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const [missing, setMissing] = useState(false);
  const latest = useRef(props);
  latest.current = props;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new theme is a new picture, though only CSS knows it
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    let plot: uPlot | undefined;
    let gone = false;
    const resize = new ResizeObserver(([entry]) => {
      if (entry) plot?.setSize({ width: Math.floor(entry.contentRect.width), height });
    });
    import('uplot').then(
      ({ default: UPlot }) => {
        if (gone) return;
        const { options, data } = drawing(
          UPlot,
          latest.current,
          zone,
          element.clientWidth,
          height,
          setPointed,
        );
        plot = new UPlot(options, data, element);
        setMissing(false);
        resize.observe(element);
      },
      () => setMissing(true),
    );
    return () => {
      gone = true;
      resize.disconnect();
      plot?.destroy();
    };
  }, [series, zone, dark, height, props.threshold, props.shade?.from, props.shade?.to, props.markers]);
  return (
    <figure className={cx('min-w-0', className)}>
      <div ref={holder} role="img" aria-label={alt} className="w-full" style={{ height }} />
      <figcaption className="mt-1 grid min-h-4 text-muted text-xs tabular-nums">
        <Caption
          series={series}
          text={missing ? `The chart could not be loaded. ${alt}` : alt}
          away={!!pointed}
        />
        {pointed && (
          <div className="col-start-1 row-start-1 flex flex-wrap content-start gap-x-3">
            <span>
              {clock(pointed.at, zone)} {zoneName(pointed.at, zone)}
            </span>
            {pointed.values.map((one) => (
              <Swatch key={one.label} label={one.label} ink={one.ink}>
                <b className="font-medium text-text">
                  {one.value === null ? 'no data' : measured(one.value, unit)}
                </b>
              </Swatch>
            ))}
          </div>
        )}
      </figcaption>
    </figure>
  );
}

/** What the picture shows; it keeps its room while it is `away`, so that nothing moves below a pointed-at chart. */
function Caption({ series, text, away }: { series: readonly Series[]; text: string; away: boolean }) {
  const { zone } = usePrefs();
  return (
    <div className={cx('col-start-1 row-start-1 min-w-0', away && 'invisible')}>
      <div className="flex items-start gap-x-3 max-md:flex-wrap">
        <span className="min-w-0 flex-1 [overflow-wrap:anywhere] max-md:basis-full">{text}</span>
        <span className="shrink-0">times in {zoneName(lastOf(series), zone)}</span>
      </div>
      {series.length > 1 && (
        <div className="flex flex-wrap gap-x-3">
          {legend(series).map((one) => (
            <Swatch key={one.label} {...one} />
          ))}
        </div>
      )}
    </div>
  );
}

/** The instant of the last point, milliseconds; a zone may be called otherwise in winter. */
function lastOf(series: readonly Series[]): number {
  return (series[0]?.points.at(-1)?.[0] ?? 0) * 1000;
}

function Swatch({ label, ink, children }: { label: string; ink: string; children?: ReactNode }) {
  return (
    <span className="inline-flex min-w-0 items-center gap-1">
      <span className="size-2 shrink-0 rounded-full" style={{ background: `var(${ink})` }} />
      <span className="max-w-64 truncate">{label}</span>
      {children}
    </span>
  );
}
