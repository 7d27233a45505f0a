/**
 * Completes `package-lock.json` with the native packages of other platforms, which npm leaves out when the registry
 * it asked does not mirror them; without them `npm ci` calls the lock file incomplete. Run after changing packages.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const SYSTEMS = [
  'android',
  'darwin',
  'freebsd',
  'linux',
  'win32',
  'openharmony',
  'netbsd',
  'openbsd',
  'sunos',
  'aix',
];
const PROCESSORS = [
  'arm64',
  'arm',
  'x64',
  'ia32',
  'wasm32',
  'ppc64',
  's390x',
  'riscv64',
  'loong64',
  'mips64el',
];

/** Where a native package runs, by its name; a package whose name does not say is for macOS, as `fsevents` is. */
function platform(name) {
  const words = name.split(/[-/]/);
  const os = SYSTEMS.find((one) => words.includes(one));
  const cpu = PROCESSORS.find((one) => words.includes(one));
  if (cpu === 'wasm32') return { cpu: ['wasm32'] };
  return {
    ...(cpu && { cpu: [cpu] }),
    ...(words.includes('musl') && { libc: ['musl'] }),
    ...(os === 'linux' && (words.includes('gnu') || words.includes('gnueabihf')) && { libc: ['glibc'] }),
    os: [os ?? 'darwin'],
  };
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
let added = 0;
for (const one of Object.values(lock.packages))
  for (const [name, range] of Object.entries(one.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (lock.packages[key]) continue;
    lock.packages[key] = {
      version: range.replace(/^[~^]/, ''),
      dev: true,
      optional: true,
      ...platform(name),
    };
    added += 1;
  }
const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries(sorted);
writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} added`);
