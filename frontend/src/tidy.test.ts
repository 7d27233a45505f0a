/** The rules of the house that no lint knows. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const LONGEST = 250;
const GENERATED = new Set(['src/api/schema.gen.ts']);

const files = ['src', 'mock', 'e2e', 'scripts']
  .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name))))
  .filter((path) => /\.(tsx?|mjs)$/.test(path) && !GENERATED.has(path))
  .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
const source = files.filter(({ path }) => path.startsWith('src/'));

/** What a file of each layer must not import. */
const FORBIDDEN: [layer: RegExp, imports: RegExp, why: string][] = [
  [/^src\/ui\//, /from '\.\.\/(api|components|pages|routes|paths)/, 'ui could ship anywhere'],
  [/^src\/components\//, /from '\.\.\/pages\//, 'components do not know pages'],
  [/^src\/util\//, /from '\.\.\/(?!api\/types)/, 'util is pure'],
  [/^src\/api\//, /from '\.\.\/(components|pages|ui|routes)/, 'api does not know the screen'],
  [/^src\/pages\//, /from '\.\.\/(?!\.\.\/)(?!\w+\.css)/, 'pages do not import pages'],
  [/^src\/(?!api\/types)/, /schema\.gen/, 'generated types come through api/types'],
  [/^src\/(?!main)/, /from '(\.\.\/)+mock(?!\/testing|\/renderApp)/, 'the product does not know its mock'],
];

const isTest = (path: string) => /\.test\.tsx?$/.test(path);

it.each(FORBIDDEN)('%s does not import %s: %s', (layer, imports) => {
  const broken = source.filter(({ path, text }) => layer.test(path) && !isTest(path) && imports.test(text));
  expect(broken.map(({ path }) => path)).toEqual([]);
});

it(`keeps files within ${LONGEST} lines`, () => {
  const long = files.filter(({ text }) => text.split('\n').length > LONGEST + 1);
  expect(long.map(({ path }) => path)).toEqual([]);
});

it('never makes markup out of text', () => {
  const risky = /dangerouslySetInnerHTML|\.innerHTML|insertAdjacentHTML|new Function|\beval\(/;
  expect(
    source.filter(({ path, text }) => !isTest(path) && risky.test(text)).map(({ path }) => path),
  ).toEqual([]);
});

it('writes no style or script into the page that is entered through', () => {
  const html = readFileSync('index.html', 'utf8');
  expect(html).not.toMatch(/<style|style=|<script(?![^>]*src=)|\son\w+=/);
});

it('opens links to other sites without handing over the page', () => {
  const bare = source.filter(
    ({ text }) => /target="_blank"/.test(text) && !/rel="noreferrer noopener"/.test(text),
  );
  expect(bare.map(({ path }) => path)).toEqual([]);
});

it('gives each file its one sentence', () => {
  const silent = source.filter(({ path, text }) => !isTest(path) && !/^(\/\*\*|\/\/)/.test(text));
  expect(silent.map(({ path }) => path)).toEqual([]);
});

describe('the lock file', () => {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { resolved?: string; optionalDependencies?: Record<string, string> }>;
  };
  const entries = Object.values(lock.packages);

  it('takes packages only from the registry', () => {
    const odd = entries.filter(
      (one) => one.resolved && !one.resolved.startsWith('https://registry.npmjs.org/'),
    );
    expect(odd).toEqual([]);
  });

  it('knows the native packages of every platform, or npm ci refuses it (scripts/lock.mjs)', () => {
    const wanted = entries.flatMap((one) => Object.keys(one.optionalDependencies ?? {}));
    expect(wanted.filter((name) => !lock.packages[`node_modules/${name}`])).toEqual([]);
  });
});
