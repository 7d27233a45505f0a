/** Pictures of every page of the built mock, in two themes and two sizes: `node e2e/shots.mjs [name…]`. */
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { PAGES, SIZES, THEMES } from './pages.mjs';
import { serve } from './serve.mjs';

const [, , ...words] = process.argv;
const sizes = Object.keys(SIZES).filter(
  (size) => !words.some((word) => word in SIZES) || words.includes(size),
);
const themes = THEMES.filter(
  (theme) => !words.some((word) => THEMES.includes(word)) || words.includes(theme),
);
const asked = words.filter((word) => word in PAGES);
const names = asked.length > 0 ? asked : Object.keys(PAGES);

mkdirSync('shots', { recursive: true });
const { url, close } = await serve('dist-mock');
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium' });
for (const size of sizes)
  for (const theme of themes) {
    const context = await browser.newContext({
      viewport: SIZES[size],
      colorScheme: theme,
      timezoneId: 'UTC',
    });
    const page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') console.log(`${size} ${theme}:`, message.text());
    });
    page.on('pageerror', (error) => console.log(`${size} ${theme}:`, error.message));
    for (const name of names) {
      await page.goto(url + PAGES[name]);
      await page.waitForSelector('main', { timeout: 8000 }).catch(() => console.log(`${name}: no main`));
      await page.waitForTimeout(700);
      await page.screenshot({ path: `shots/${name}-${size}-${theme}.png` });
    }
    await context.close();
  }
await browser.close();
close();
