/** Ends a build: checks the size budgets, then writes a `.br` and a `.gz` beside every file worth it. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const WORTH_IT = new Set(['.js', '.css', '.html', '.svg', '.json']);
const KIB = 1024;
/** KiB of gzip: the script that the page loads beyond what it is entered through. */
const BUDGETS = [
  { page: 'src/pages/incidents/IncidentsPage.tsx', most: 240, with: 'index.html' },
  { page: 'src/pages/incident/IncidentPage.tsx', most: 90, beyond: 'index.html' },
  { page: 'src/pages/settings/SettingsPage.tsx', most: 60, beyond: 'index.html' },
  { page: 'src/pages/analytics/AnalyticsPage.tsx', most: 50, beyond: 'index.html' },
];
const CSS_MOST = 25;

const folder = process.argv[2] ?? 'dist';
const manifest = JSON.parse(readFileSync(join(folder, '.vite/manifest.json'), 'utf8'));

/** Every file an entry loads before it can run. */
function staticFiles(key, seen = new Set()) {
  const chunk = manifest[key];
  if (!chunk || seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const one of chunk.imports ?? []) staticFiles(one, seen);
  return seen;
}

const gzipped = (file) => gzipSync(readFileSync(join(folder, file)), { level: 9 }).length / KIB;
const sum = (files) => [...files].reduce((all, file) => all + gzipped(file), 0);

let over = 0;
function report(name, size, most) {
  if (size > most) over += 1;
  console.log(`${size > most ? 'OVER' : 'ok  '} ${size.toFixed(1).padStart(6)} of ${most} KiB  ${name}`);
}

const shell = staticFiles('index.html');
for (const { page, most, beyond } of BUDGETS) {
  if (!manifest[page]) throw new Error(`no page ${page} in the manifest`);
  const files = staticFiles(page);
  // A page's script that runs only when asked for, such as the chart, counts as well.
  for (const late of manifest[page].dynamicImports ?? [])
    for (const file of staticFiles(late)) files.add(file);
  const counted = beyond ? [...files].filter((file) => !shell.has(file)) : new Set([...shell, ...files]);
  report(page, sum(counted), most);
}
const styles = new Set(Object.values(manifest).flatMap((chunk) => chunk.css ?? []));
report('all styles', sum(styles), CSS_MOST);
if (over > 0) process.exit(1);

for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !WORTH_IT.has(extname(entry.name))) continue;
  const path = join(entry.parentPath, entry.name);
  const bytes = readFileSync(path);
  writeFileSync(
    `${path}.br`,
    brotliCompressSync(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
  );
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
}
rmSync(join(folder, '.vite'), { recursive: true });
writeFileSync(join(folder, '.gitkeep'), '');
