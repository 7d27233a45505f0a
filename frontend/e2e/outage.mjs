/** The real build while its server goes away and comes back: nothing is lost, and nobody has to reload. */
import { relayApi } from './relay.mjs';
import { serve } from './serve.mjs';

const AWAY = /The server can’t be reached/;

export async function checkOutage(browser, mockUrl) {
  const faults = [];
  const real = await serve('dist', { mock: false });
  for (const [name, story] of Object.entries(STORIES)) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const server = { up: true };
    await relayApi(page, mockUrl, real.url, { isUp: () => server.up });
    await page.route('**/assets/**', (route) => (server.up ? route.continue() : route.abort()));
    try {
      await story(page, real.url, server);
    } catch (error) {
      faults.push(`outage: ${name}: ${error instanceof Error ? error.message : error}`);
    }
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await context.close();
  }
  real.close();
  return faults;
}

/** Of this tab alone: the mock answers from another one. */
async function setOffline(page, offline) {
  const session = await page.context().newCDPSession(page);
  const any = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
  await session.send('Network.emulateNetworkConditions', { offline, ...any });
}

const STORIES = {
  async 'a page whose code is not there yet says so in its frame, and comes by itself'(page, url, server) {
    await page.goto(`${url}/incidents`);
    await page.getByRole('row').first().waitFor();
    server.up = false;
    await page.getByRole('link', { name: 'Analytics' }).first().click();
    await page.getByText(AWAY).waitFor();
    await page.getByText(/asks again in \d+ s/).waitFor();
    await page.getByRole('link', { name: 'Incidents' }).first().waitFor();
    await page.waitForTimeout(5000);
    server.up = true;
    await page.getByRole('heading', { name: 'Analytics' }).waitFor();
  },

  async 'code is there before it is wanted, and data comes when the server does'(page, url, server) {
    const fetched = page.waitForResponse(/ChangesPage/);
    await page.goto(`${url}/incidents`);
    await fetched;
    await page.waitForLoadState('networkidle');
    server.up = false;
    await page.getByRole('link', { name: 'Changes' }).first().click();
    await page.getByRole('heading', { name: 'Changes' }).waitFor();
    await page.getByText(AWAY).waitFor();
    server.up = true;
    await page.getByText('deploy v2.41.0 by ana').waitFor();
  },

  async 'without a network an acknowledgement fails at once, and nothing is sent later'(page, url, server) {
    await page.goto(`${url}/incidents/INC-142`);
    const button = page.getByRole('button', { name: /^Acknowledge/ }).first();
    await button.waitFor();
    server.up = false;
    await setOffline(page, true);
    await button.click();
    await page.getByText('You are offline; nothing was sent.').first().waitFor({ timeout: 2000 });
    server.up = true;
    await setOffline(page, false);
    await page.waitForTimeout(1500);
    await page.getByText('Not acknowledged').waitFor();
    await page.getByRole('button', { name: 'Try again' }).first().click();
    await page
      .getByText(/^Acknowledged \d\d:\d\d:\d\d/)
      .first()
      .waitFor();
  },
};
