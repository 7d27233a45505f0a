/** Runs the browser tests on the built mock: `npm run build && npm run build:mock && npm run e2e [flows|looks|policy|outage]`. */
import { chromium } from 'playwright-core';
import { FLOWS } from './flows.mjs';
import { checkLooks } from './looks.mjs';
import { checkOutage } from './outage.mjs';
import { checkPolicy } from './policy.mjs';
import { serve } from './serve.mjs';
import { TEAM_FLOWS } from './teamFlows.mjs';

const [, , only] = process.argv;
const { url, close } = await serve('dist-mock');
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium' });
let failed = 0;

if (!only || only === 'flows')
  for (const [name, flow] of Object.entries({ ...FLOWS, ...TEAM_FLOWS })) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    page.on('pageerror', (error) => {
      failed += 1;
      console.log(`error in the page: ${error.message}`);
    });
    page.setDefaultTimeout(10_000);
    try {
      await flow(page, url);
      console.log(`ok   ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}\n     ${error instanceof Error ? error.message : error}`);
    }
    await context.close();
  }

if (!only || only === 'looks') {
  const faults = await checkLooks(browser, url);
  failed += faults.length;
  for (const fault of faults) console.log(`FAIL ${fault}`);
  if (faults.length === 0)
    console.log('ok   no axe violation and nothing sticking out, in two themes and two sizes');
}

if (!only || only === 'policy') {
  const faults = await checkPolicy(browser, url);
  failed += faults.length;
  for (const fault of faults) console.log(`FAIL ${fault}`);
  if (faults.length === 0) console.log('ok   the real build keeps to the content policy');
}

if (!only || only === 'outage') {
  const faults = await checkOutage(browser, url);
  failed += faults.length;
  for (const fault of faults) console.log(`FAIL ${fault}`);
  if (faults.length === 0) console.log('ok   the real build survives its server going away');
}

await browser.close();
close();
process.exit(failed > 0 ? 1 : 0);
