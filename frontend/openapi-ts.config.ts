import { defineConfig } from '@hey-api/openapi-ts';

/** Types only: the client is our own, and small. */
export default defineConfig({
  input: '../openapi.json',
  output: { path: '.generated', indexFile: false, clean: true },
  plugins: ['@hey-api/typescript'],
});
