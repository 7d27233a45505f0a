/** Writes `src/api/schema.gen.ts` from `../openapi.json`; with `--check` it only says whether it is up to date. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

const TARGET = 'src/api/schema.gen.ts';

execFileSync('node_modules/.bin/openapi-ts', [], { stdio: ['ignore', 'ignore', 'inherit'] });
const made = readFileSync('.generated/types.gen.ts', 'utf8');
rmSync('.generated', { recursive: true });

if (process.argv.includes('--check')) {
  if (readFileSync(TARGET, 'utf8') !== made) {
    console.log(`${TARGET} is stale: run npm run generate`);
    process.exit(1);
  }
} else writeFileSync(TARGET, made);
