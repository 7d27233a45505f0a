/** Accessibility by axe, and that nothing sticks out of a page: every page, theme and size. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ASKS_IN_VAIN, PAGES, SIZES, THEMES } from './pages.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export async function checkLooks(browser, url) {
  const faults = [];
  for (const [size, viewport] of Object.entries(SIZES))
    for (const theme of THEMES) {
      const context = await browser.newContext({ viewport, colorScheme: theme, reducedMotion: 'reduce' });
      const page = await context.newPage();
      let shown = '';
      page.on('pageerror', (error) => faults.push(`${size} ${theme}: ${error.message}`));
      page.on('console', (message) => {
        // Chromium itself reports the 401 by which a signed-out page learns that it is signed out.
        const told = shown === ASKS_IN_VAIN ? /\b404\b/ : /\b401\b/;
        if (message.type() === 'error' && !told.test(message.text()))
          faults.push(`${size} ${theme}: ${message.text()}`);
      });
      for (const [name, path] of Object.entries(PAGES)) {
        shown = name;
        await page.goto(url + path);
        await page.locator('main').first().waitFor();
        await page.locator('[role="status"][aria-label="Loading"]').first().waitFor({ state: 'detached' });
        await page.evaluate(AXE);
        const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ['violations'] }));
        for (const one of violations)
          faults.push(
            `${name} ${size} ${theme}: ${one.id} on ${one.nodes.map((node) => node.target).join(' | ')}`,
          );
        for (const one of await page.evaluate(stickingOut))
          faults.push(`${name} ${size} ${theme}: ${one} sticks out`);
      }
      await context.close();
    }
  return faults;
}

/** Elements whose right edge is past the viewport without anything to scroll them in; on a phone no table scrolls. */
function stickingOut() {
  const scrolls = (element) => {
    for (let up = element; up; up = up.parentElement)
      if (/auto|scroll|hidden|clip/.test(getComputedStyle(up).overflowX) && up !== document.documentElement) {
        if (up.tagName === 'MAIN') return up.scrollWidth <= up.clientWidth + 1;
        return true;
      }
    return false;
  };
  const cut = (element) =>
    innerWidth < 768 &&
    element.matches('section[aria-label$=", table"]') &&
    element.scrollWidth > element.clientWidth + 1;
  return [...document.querySelectorAll('body *')]
    .filter(
      (element) =>
        cut(element) || (element.getBoundingClientRect().right > innerWidth + 1 && !scrolls(element)),
    )
    .slice(0, 3)
    .map((element) => `${element.tagName.toLowerCase()}.${String(element.className).slice(0, 60)}`);
}
