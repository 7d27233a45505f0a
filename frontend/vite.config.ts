import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import type { Plugin, ProxyOptions } from 'vite';
import { defineConfig } from 'vitest/config';

const SERVER = process.env.SRE_COPILOT_GATEWAY_URL ?? 'http://127.0.0.1:8500';

const PROXY: Record<string, ProxyOptions> = {
  '/api': { target: SERVER },
  '/ws': { target: SERVER, ws: true },
  '/docs': { target: SERVER },
};

/** Serves the mock's service worker from its package, so that no copy of it is kept here or shipped. */
function mockWorker(): Plugin {
  const read = () => readFileSync(createRequire(import.meta.url).resolve('msw/mockServiceWorker.js'), 'utf8');
  return {
    name: 'mock-worker',
    configureServer: (server) => {
      server.middlewares.use('/mockServiceWorker.js', (_request, response) => {
        response.setHeader('content-type', 'text/javascript');
        response.end(read());
      });
    },
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'mockServiceWorker.js', source: read() });
    },
  };
}

export default defineConfig(({ mode }) => ({
  plugins: [react(), tailwindcss(), ...(mode === 'mock' ? [mockWorker()] : [])],
  build: {
    outDir: mode === 'mock' ? 'dist-mock' : 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    manifest: true,
    modulePreload: { polyfill: false },
    target: ['chrome120', 'firefox121', 'safari17'],
  },
  server: {
    proxy: mode === 'mock' ? {} : PROXY,
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}', 'mock/**/*.test.ts'],
    setupFiles: ['mock/testing.ts'],
    restoreMocks: true,
    testTimeout: 20_000,
  },
}));
