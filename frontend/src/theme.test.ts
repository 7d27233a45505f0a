/** Every pair of colours that meets on the screen reads well in both themes (WCAG AA). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync('src/theme.css', 'utf8');
const themes = { light: block(':root {'), dark: block('[data-theme="dark"] {') };

const BACKGROUNDS = ['page', 'surface', 'raised', 'hover'];
const TEXTS = [
  'text',
  'muted',
  'link',
  'resolved',
  'investigating',
  'critical',
  'high',
  'medium',
  'low',
  'info',
];
const FILLS = ['critical', 'high', 'medium', 'low', 'info'];

describe.each(Object.entries(themes))('%s', (_, colors) => {
  it.each(BACKGROUNDS.flatMap((back) => TEXTS.map((text) => [text, back])))('%s on %s', (text, back) => {
    expect(contrast(color(colors, text), color(colors, back))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(FILLS)('text on a %s badge', (fill) => {
    expect(contrast(color(colors, `on-${fill}`), color(colors, `${fill}-fill`))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(['primary', 'primary-hover'])('text on a %s button', (fill) => {
    expect(contrast(color(colors, 'on-primary'), color(colors, fill))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(['link', 'text', 'muted'])('%s on a tint', (text) => {
    expect(contrast(color(colors, text), color(colors, 'tint'))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(['control', 'focus'])('%s is seen on the page and on cards', (line) => {
    for (const back of ['page', 'surface', 'raised'])
      expect(contrast(color(colors, line), color(colors, back))).toBeGreaterThanOrEqual(3);
  });
});

function block(start: string): Map<string, string> {
  const from = css.indexOf(start);
  const body = css.slice(from, css.indexOf('}', from));
  return new Map(
    [...body.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, name = '', hex = '']) => [name, hex]),
  );
}

function color(colors: Map<string, string>, name: string): string {
  const hex = colors.get(name);
  if (!hex) throw new Error(`no colour ${name}`);
  return hex;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
