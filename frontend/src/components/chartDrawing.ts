/** How a chart is drawn: scales, axes, and the marks that uPlot does not know. */
import type uPlot from 'uplot';
import { measured } from '../util/numbers';
import { clock, type Zone } from '../util/time';
import type { ChartProps } from './Chart';
import { seriesName } from './seriesName';

/** More lines than this are a thicket; the strongest are kept. */
const MOST_LINES = 6;
const INKS = ['--focus', '--high', '--investigating', '--resolved', '--medium', '--critical'];

type Pointing = (
  at: { at: number; values: { label: string; value: number | null; color: string }[] } | null,
) => void;

/** The options and data of one picture. */
export function drawing(
  UPlot: typeof uPlot,
  props: ChartProps,
  zone: Zone,
  width: number,
  height: number,
  onPoint: Pointing,
): { options: uPlot.Options; data: uPlot.AlignedData } {
  const css = getComputedStyle(document.documentElement);
  const color = (name: string) => css.getPropertyValue(name).trim();
  const kept = strongest(props.series);
  const tables = kept.map(
    (one): uPlot.AlignedData => [one.points.map((p) => p[0]), one.points.map((p) => p[1])],
  );
  const data = tables.length > 0 ? UPlot.join(tables) : ([[]] as unknown as uPlot.AlignedData);
  const names = kept.map((one) =>
    seriesName(
      one.labels,
      kept.map((other) => other.labels),
    ),
  );
  const inks = kept.map((_, index) => color(INKS[index % INKS.length] ?? '--focus'));
  const axis: uPlot.Axis = {
    stroke: color('--muted'),
    font: '11px "Inter Variable", sans-serif',
    grid: { stroke: color('--hairline'), width: 1 },
    ticks: { show: false },
  };
  const options: uPlot.Options = {
    width,
    height,
    legend: { show: false },
    cursor: { y: false, points: { size: 7 } },
    padding: [10, 8, 0, 0],
    scales: { y: { range: (_plot, low, high) => bounds(low, high, props.threshold ?? null) } },
    axes: [
      {
        ...axis,
        space: 70,
        size: 26,
        values: (_plot, ticks) => ticks.map((at) => clock(at * 1000, zone).slice(0, 5)),
      },
      {
        ...axis,
        size: 58,
        space: 34,
        values: (_plot, ticks) => ticks.map((value) => measured(value, props.unit)),
      },
    ],
    series: [
      {},
      ...kept.map((_, index) => ({
        stroke: inks[index] ?? color('--focus'),
        width: 1.75,
        points: { show: false },
        spanGaps: false,
      })),
    ],
    tzDate: (at) => (zone === 'utc' ? UPlot.tzDate(new Date(at * 1000), 'Etc/UTC') : new Date(at * 1000)),
    hooks: {
      drawClear: [(plot) => shade(plot, props, color('--critical'))],
      draw: [(plot) => marks(plot, props, color('--critical'), color('--muted'), color('--text'))],
      setCursor: [
        (plot) => {
          const index = plot.cursor.idx;
          const at = index === null || index === undefined ? undefined : plot.data[0]?.[index];
          if (index === null || index === undefined || at === undefined) return onPoint(null);
          onPoint({
            at: at * 1000,
            values: names.map((label, line) => ({
              label,
              value: plot.data[line + 1]?.[index] ?? null,
              color: inks[line] ?? '',
            })),
          });
        },
      ],
    },
  };
  return { options, data };
}

function strongest(series: ChartProps['series']): ChartProps['series'] {
  const peak = (one: (typeof series)[number]) => Math.max(...one.points.map((p) => Math.abs(p[1] ?? 0)), 0);
  return series.length <= MOST_LINES
    ? series
    : [...series].sort((a, b) => peak(b) - peak(a)).slice(0, MOST_LINES);
}

function bounds(low: number | null, high: number | null, threshold: number | null): [number, number] {
  const values = [low ?? 0, high ?? 0, ...(threshold === null ? [] : [threshold])];
  const least = Math.min(0, ...values);
  const most = Math.max(...values);
  return most === least ? [least, least + 1] : [least, most + (most - least) * 0.12];
}

function shade(plot: uPlot, props: ChartProps, ink: string): void {
  if (!props.shade) return;
  const { ctx, bbox } = plot;
  const from = Math.max(bbox.left, plot.valToPos(props.shade.from / 1000, 'x', true));
  const to = Math.min(bbox.left + bbox.width, plot.valToPos(props.shade.to / 1000, 'x', true));
  if (to <= from) return;
  ctx.save();
  ctx.fillStyle = ink;
  ctx.globalAlpha = 0.08;
  ctx.fillRect(from, bbox.top, to - from, bbox.height);
  ctx.restore();
}

function marks(plot: uPlot, props: ChartProps, bad: string, quiet: string, text: string): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.lineWidth = ratio;
  ctx.font = `${11 * ratio}px "Inter Variable", sans-serif`;
  if (props.threshold !== null && props.threshold !== undefined) {
    const y = plot.valToPos(props.threshold, 'y', true);
    line(ctx, bad, [2 * ratio, 3 * ratio], bbox.left, y, bbox.left + bbox.width, y);
    ctx.fillStyle = bad;
    ctx.textAlign = 'left';
    ctx.fillText(`limit ${measured(props.threshold, props.unit)}`, bbox.left + 6 * ratio, y - 4 * ratio);
  }
  for (const marker of props.markers ?? []) {
    const x = plot.valToPos(marker.at / 1000, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    line(ctx, quiet, [5 * ratio, 4 * ratio], x, bbox.top, x, bbox.top + bbox.height);
    ctx.fillStyle = text;
    ctx.textAlign = x > bbox.left + bbox.width * 0.7 ? 'right' : 'left';
    ctx.fillText(marker.label, x + (ctx.textAlign === 'left' ? 4 : -4) * ratio, bbox.top + 10 * ratio);
  }
  ctx.restore();
}

function line(
  ctx: CanvasRenderingContext2D,
  ink: string,
  dash: number[],
  x1: number,
  y1: number,
  x2: number,
  y2: number,
): void {
  ctx.strokeStyle = ink;
  ctx.setLineDash(dash);
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}
