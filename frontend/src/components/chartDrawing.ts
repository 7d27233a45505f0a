/** How a chart is drawn: scales, axes, and the marks that uPlot does not know. */
import type uPlot from 'uplot';
import { measured } from '../util/numbers';
import { clock, type Zone } from '../util/time';
import type { ChartProps } from './Chart';
import { seriesName } from './seriesName';

/** More lines than this are a thicket; the strongest are kept. */
const MOST_LINES = 6;
/** Names of changes stand on so many lines, so that neighbours do not cover one another. */
const MARKER_ROWS = 3;
const INKS = ['--focus', '--high', '--investigating', '--resolved', '--medium', '--critical'];

/** What the cursor points at: an instant, and every line's value there. */
export type Pointed = { at: number; values: { label: string; ink: string; value: number | null }[] };

/** The lines that are drawn, each with its name and the CSS variable of its colour. */
export function legend(series: ChartProps['series']): { label: string; ink: string }[] {
  const kept = strongest(series);
  const labels = kept.map((one) => one.labels);
  return kept.map((one, index) => ({
    label: seriesName(one.labels, labels),
    ink: INKS[index % INKS.length] ?? '--focus',
  }));
}

/** The options and data of one picture. */
export function drawing(
  UPlot: typeof uPlot,
  props: ChartProps,
  zone: Zone,
  width: number,
  height: number,
  onPoint: (pointed: Pointed | null) => void,
): { options: uPlot.Options; data: uPlot.AlignedData } {
  const css = getComputedStyle(document.documentElement);
  const color = (name: string) => css.getPropertyValue(name).trim();
  const kept = strongest(props.series);
  const tables = kept.map(
    (one): uPlot.AlignedData => [one.points.map((p) => p[0]), one.points.map((p) => p[1])],
  );
  const data = tables.length > 0 ? UPlot.join(tables) : ([[]] as unknown as uPlot.AlignedData);
  const lines = legend(props.series);
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
      ...lines.map((one) => ({
        stroke: color(one.ink),
        width: 1.75,
        points: { show: false },
        spanGaps: false,
      })),
    ],
    tzDate: (at) => (zone === 'utc' ? UPlot.tzDate(new Date(at * 1000), 'Etc/UTC') : new Date(at * 1000)),
    hooks: {
      drawClear: [(plot) => shade(plot, props, color('--critical'))],
      draw: [
        (plot) =>
          marks(plot, props, {
            bad: color('--critical'),
            quiet: color('--muted'),
            text: color('--text'),
            page: color('--raised'),
          }),
      ],
      setCursor: [
        (plot) => {
          const index = plot.cursor.idx;
          const at = index === null || index === undefined ? undefined : plot.data[0]?.[index];
          if (index === null || index === undefined || at === undefined) return onPoint(null);
          onPoint({
            at: at * 1000,
            values: lines.map((one, line) => ({ ...one, value: plot.data[line + 1]?.[index] ?? null })),
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

type Inks = { bad: string; quiet: string; text: string; page: string };

function marks(plot: uPlot, props: ChartProps, inks: Inks): void {
  const { bad, quiet, text, page } = inks;
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.lineWidth = ratio;
  ctx.font = `${11 * ratio}px "Inter Variable", sans-serif`;
  if (props.threshold !== null && props.threshold !== undefined) {
    const y = plot.valToPos(props.threshold, 'y', true);
    line(ctx, bad, [2 * ratio, 3 * ratio], bbox.left, y, bbox.left + bbox.width, y);
    ctx.textAlign = 'left';
    write(
      ctx,
      `limit ${measured(props.threshold, props.unit)}`,
      bbox.left + 6 * ratio,
      y - 5 * ratio,
      bad,
      page,
    );
  }
  let row = 0;
  for (const marker of props.markers ?? []) {
    const x = plot.valToPos(marker.at / 1000, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    row += 1;
    line(ctx, quiet, [5 * ratio, 4 * ratio], x, bbox.top, x, bbox.top + bbox.height);
    ctx.textAlign = x > bbox.left + bbox.width * 0.7 ? 'right' : 'left';
    const beside = x + (ctx.textAlign === 'left' ? 4 : -4) * ratio;
    write(ctx, marker.label, beside, bbox.top + (10 + 14 * ((row - 1) % MARKER_ROWS)) * ratio, text, page);
  }
  ctx.restore();
}

/** Text with a rim in the page's colour, so that it reads across lines. */
function write(
  ctx: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  ink: string,
  page: string,
): void {
  ctx.setLineDash([]);
  ctx.lineJoin = 'round';
  ctx.strokeStyle = page;
  ctx.lineWidth = 4 * devicePixelRatio;
  ctx.strokeText(text, x, y);
  ctx.fillStyle = ink;
  ctx.fillText(text, x, y);
  ctx.lineWidth = devicePixelRatio;
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
