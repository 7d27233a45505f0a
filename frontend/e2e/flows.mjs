/** What a person does from end to end, in a real browser, by role and label. */
import assert from 'node:assert/strict';

/** Each flow begins on a fresh page of the mock. */
export const FLOWS = {
  async 'an incident appears, is explained and acknowledged without a reload'(page, url) {
    await page.goto(`${url}/incidents?mock=shop`);
    const row = page.getByRole('link', { name: /replication is 94 s behind/ });
    await row.waitFor({ timeout: 20_000 });
    await page.getByText('High, new incident INC-143').waitFor();
    await row.click();
    await page.getByText('Not enough evidence to name a cause.').waitFor({ timeout: 15_000 });
    await page.keyboard.press('a');
    await page.getByText(/^Acknowledged \d\d:\d\d:\d\d/).waitFor();
  },

  async 'a source is connected and its panel shows the mistake, then the incident'(page, url) {
    await page.goto(`${url}/integrations?mock=empty&still`);
    await page.getByRole('button', { name: 'Connect' }).first().click();
    await page.getByText('Alertmanager', { exact: true }).click();
    await page.getByRole('button', { name: /Create and show/ }).click();
    await page.getByText('credentials: whs_').waitFor();
    await page.getByText(/invalid credentials \(401\)/).waitFor({ timeout: 15_000 });
    await page.getByText('Read 1 alert').waitFor({ timeout: 15_000 });
    await page.getByRole('link', { name: 'INC-1' }).waitFor({ timeout: 15_000 });
  },

  async 'ten thousand incidents stay a small page'(page, url) {
    await page.goto(`${url}/incidents?q=&mock=shop&past=10000&still`);
    await page.getByRole('row').first().waitFor();
    for (let press = 0; press < 60; press += 1) await page.keyboard.press('j');
    const nodes = await page.evaluate(() => document.querySelectorAll('*').length);
    assert.ok(nodes < 1500, `${nodes} nodes`);
    const grid = page.getByRole('grid');
    for (let screen = 0; screen < 12; screen += 1) {
      await grid.evaluate((one) => one.parentElement.scrollBy(0, 4000));
      await page.waitForTimeout(120);
    }
    assert.ok(Number(await page.getByRole('row').last().getAttribute('aria-rowindex')) > 300);
  },

  async 'the way back from an incident leads to the same place of the same list'(page, url) {
    await page.goto(`${url}/incidents?q=is:closed&mock=shop&past=10000&still`);
    await page.getByRole('row').first().waitFor();
    const list = page.getByRole('grid').locator('..');
    await list.evaluate((one) => one.scrollTo(0, 4000));
    const row = page.locator('[aria-rowindex="80"]');
    await row.getByRole('link').focus();
    await page.keyboard.press('Enter');
    for (const back of [() => page.goBack(), () => page.keyboard.press('u')]) {
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.getByText('What changed').first().waitFor();
      await back();
      await row.waitFor();
      assert.equal(await list.evaluate((one) => one.scrollTop), 4000);
      assert.equal(await page.getByRole('combobox', { name: 'Filter incidents' }).inputValue(), 'is:closed');
      await page.keyboard.press('o');
    }
  },

  async 'a phone tells who has what, counts what nobody has, and selects by tapping'(page, url) {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`${url}/incidents?mock=shop&still`);
    const row = page.getByRole('row').filter({ hasText: 'payments: p99' });
    for (const text of [row.getByText('Ana Ruiz').first(), row.getByText('payments', { exact: true })])
      await text.waitFor();
    const count = await page.getByRole('button', { name: /unacknowledged/ }).boundingBox();
    assert.ok(count && count.x + count.width <= 390, 'the count is on the screen');
    for (const one of await page.getByRole('button', { name: /^\d+ (critical|high|medium|low)$/ }).all())
      assert.ok((await one.boundingBox()).x < 350, 'each severity is on the screen');
    await page.getByRole('button', { name: 'Select incidents' }).click();
    const box = await row.boundingBox();
    await page.mouse.click(box.x + 300, box.y + 50);
    await page.getByText('1 incident selected').waitFor();
    assert.ok(page.url().includes('/incidents?'), 'the tap does not open the incident');
    await page.getByRole('button', { name: 'Resolve', exact: true }).click();
    await page.getByRole('button', { name: 'Resolve 1', exact: true }).click();
    await page.getByText('1 resolved', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Select incidents' }).waitFor();
  },

  async 'a phone shows days that a finger can hit, today among them'(page, url) {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const days of [14, 90]) {
      await page.goto(`${url}/analytics?days=${days}&mock=shop&still`);
      const columns = page.getByRole('link', { name: /incidents? opened, / });
      await columns.first().waitFor();
      const { x, width } = await columns.last().boundingBox();
      assert.ok(width >= 24 && x + width <= 390, `today is ${width} wide at ${x}`);
    }
  },

  async 'a command that takes the focus has it once the palette is gone'(page, url) {
    await page.goto(`${url}/incidents?mock=shop&still`);
    await page.getByRole('row').first().waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Command or incident' }).fill('filter');
    await page.keyboard.press('Enter');
    await page.waitForTimeout(600);
    await page.keyboard.type('severity:high');
    await page.waitForURL(/severity%3Ahigh/);
  },

  async 'messages cover no row of the list'(page, url) {
    await page.goto(`${url}/incidents?q=&mock=shop&past=200&still`);
    await page.getByRole('row').first().waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('a');
    const told = await page.getByText('1 acknowledged', { exact: true }).first().boundingBox();
    const list = await page.getByRole('grid').locator('..').boundingBox();
    assert.ok(told && list && list.y + list.height <= told.y, 'the message is below the list');
  },

  async 'the zone and the theme stay chosen'(page, url) {
    await page.goto(`${url}/incidents/INC-142?mock=shop&still`);
    await page.getByText(/Started/).waitFor();
    await page.keyboard.press('t');
    await page.getByRole('button', { name: 'Times are in UTC' }).waitFor();
    await page
      .getByRole('button', { name: /^Account of/ })
      .first()
      .click();
    await page.getByRole('menuitemradio', { name: 'Dark' }).click();
    await page.reload();
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
    await page.getByRole('button', { name: 'Times are in UTC' }).waitFor();
  },

  async 'signing out and in again returns to the same place'(page, url) {
    await page.goto(`${url}/settings/keys?mock=shop&still&out`);
    await page.getByLabel('E-mail').fill('robin@shop.example');
    await page.getByLabel('Password').fill('a good long one');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'API keys of Production' }).waitFor();
    await page
      .getByRole('button', { name: /^Account of/ })
      .first()
      .click();
    await page.evaluate(() => sessionStorage.setItem('sre-copilot.draft.note.1', 'half a thought'));
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.getItem('sre-copilot.draft.note.1')), null);
  },

  async 'a one-time link signs in and leaves no token in the address'(page, url) {
    await page.goto(`${url}/link?mock=shop&still&out#secret-token`);
    await page.getByRole('grid').waitFor();
    assert.equal(new URL(page.url()).hash, '');
    await page.goBack().catch(() => null);
    assert.ok(!page.url().includes('secret-token'));
  },

  async 'a double tap on Acknowledge makes one move'(page, url) {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`${url}/incidents/INC-142?mock=shop&still`);
    const bar = page.getByRole('button', { name: 'Acknowledge' }).last();
    const { x, y, width, height } = await bar.boundingBox();
    await page.mouse.click(x + width / 2, y + height / 2);
    await page.getByRole('button', { name: 'Investigate' }).last().waitFor();
    await page.mouse.click(x + width / 2, y + height / 2);
    await page
      .getByText(/^Acknowledged \d\d:\d\d:\d\d/)
      .last()
      .waitFor();
    await page.waitForTimeout(500);
    assert.equal(await page.getByRole('button', { name: 'Investigate' }).count(), 1);
  },

  async 'an incident is put off by key, goes below the other open ones, and is woken on a phone'(page, url) {
    await page.goto(`${url}/incidents/INC-142?mock=shop&still`);
    await page
      .getByRole('button', { name: /^Snooze/ })
      .first()
      .waitFor();
    await page.keyboard.press('s');
    await page.getByRole('menuitem', { name: /^For 1 hour/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByText(/^Snoozed until \d\d:\d\d/).waitFor();
    await page.keyboard.press('u');
    const row = page.getByRole('row').filter({ hasText: 'INC-142' });
    await row.getByText(/until \d\d:\d\d/).waitFor();
    assert.ok(Number(await row.getAttribute('aria-rowindex')) > 1, 'it is not the first any more');
    await page.setViewportSize({ width: 390, height: 844 });
    await row.getByRole('link').click();
    await page.getByRole('button', { name: 'Snooze', exact: true }).last().click();
    await page.getByRole('menuitem', { name: 'Wake now' }).click();
    await page.getByText(/^Snoozed until/).waitFor({ state: 'detached' });
  },

  async 'texts far too long leave the first screen to the facts'(page, url) {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`${url}/incidents/INC-202?mock=odd&still`);
    const runbook = page.locator('a[href*="runbooks"]').first();
    await runbook.waitFor();
    const { y } = await runbook.boundingBox();
    assert.ok(y < 500, `the runbook is at ${y}`);
    const title = page.getByRole('heading', { level: 1 });
    const short = (await title.boundingBox()).height;
    await title.getByRole('button', { name: 'Show all' }).click();
    assert.ok((await title.boundingBox()).height > 4 * short);
  },
};
