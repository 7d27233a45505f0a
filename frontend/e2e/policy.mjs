/** The real build under the server's own content policy, trusted types included; the mock answers from another tab. */
import { ASKS_IN_VAIN, PAGES } from './pages.mjs';
import { relayApi } from './relay.mjs';
import { serve } from './serve.mjs';

export async function checkPolicy(browser, mockUrl) {
  const faults = [];
  const real = await serve('dist', { mock: false });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await relayApi(page, mockUrl, real.url);
  let shown = '';
  page.on('pageerror', (error) => faults.push(`policy: ${error.message}`));
  page.on('console', (message) => {
    const told = shown === ASKS_IN_VAIN ? /WebSocket|status of 404/ : /WebSocket/;
    if (message.type() === 'error' && !told.test(message.text()))
      faults.push(`policy ${shown}: ${message.text()}`);
  });
  const kept = Object.entries(PAGES).filter(
    ([, path]) => path.includes('mock=shop') && !path.includes('&out'),
  );
  for (const [name, path] of kept) {
    shown = name;
    await page.goto(real.url + path);
    await page.locator('h1').first().waitFor();
    await page.waitForLoadState('networkidle');
    if (name !== 'incident') continue;
    await page.getByRole('button', { name: /Waiting for a database/ }).click();
    await page.locator('canvas').first().waitFor();
    await page.getByRole('button', { name: 'More actions' }).first().click();
    await page.getByRole('menuitem', { name: /Edit/ }).click();
    await page.getByRole('dialog').waitFor();
  }
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await context.close();
  real.close();
  return faults;
}
