/** What people do with each other: who is told, who has what, and views that are shared. */
import assert from 'node:assert/strict';

const channelAt = (url, n) => `${url}/notifications/019ac000-0000-7000-8000-0000000c000${n}?mock=shop&still`;

export const TEAM_FLOWS = {
  async 'a webhook channel is added, its secret copied once, and a test arrives'(page, url) {
    await page.goto(`${url}/notifications?mock=quiet&still`);
    await page.getByText('Nobody is told of an incident yet').waitFor();
    await page.keyboard.press('n');
    const dialog = page.getByRole('dialog', { name: 'Add a channel' });
    await dialog.getByText('Webhook', { exact: true }).click();
    await dialog.getByLabel('Name').fill('Tickets');
    await dialog.getByLabel('Address').fill('https://tickets.example/in');
    await page.keyboard.press('Enter');
    await page.getByText(/^whsec_/).waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('The secret was not copied', { exact: false }).waitFor();
    await page.getByRole('button', { name: 'Close anyway' }).click();
    await page.getByRole('heading', { level: 1, name: 'Tickets' }).waitFor();
    await page.getByText('Nothing sent yet').waitFor();
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText('The test arrived.').waitFor();
    await page.getByText(/^Delivered \d+s ago/).waitFor();
    assert.equal(await page.getByText(/^whsec_/).count(), 0);
  },

  async 'a channel that fails says since when and why, and its test does not pretend'(page, url) {
    await page.goto(`${url}/incidents/INC-142?mock=shop&still`);
    await page.getByText('Told:').getByRole('link', { name: '#ops' }).click();
    await page.getByText(/^Failing for 40m: it answered 503, 12 waiting$/).waitFor();
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText('The test did not arrive.').waitFor();
    await page.goto(channelAt(url, 1));
    await page.getByText(/^Delivered 2m ago/).waitFor();
  },

  async 'the selected incidents are assigned, given back by Undo, and merged'(page, url) {
    await page.goto(`${url}/incidents?mock=shop&still`);
    await page.getByRole('row').first().waitFor();
    await page.keyboard.press('X');
    const bar = page.getByRole('region', { name: 'Selection' });
    await bar.getByRole('button', { name: 'Assign' }).click();
    await page.getByLabel('Owner').selectOption({ label: 'Priya Nair' });
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Assign 5' }).click();
    await page.getByText('5 assigned to Priya Nair').first().waitFor();
    assert.equal(await page.getByRole('row').filter({ hasText: 'Priya Nair' }).count(), 5);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('5 assigned as before').first().waitFor();
    assert.equal(await page.getByRole('row').filter({ hasText: 'Priya Nair' }).count(), 0);
    await page.keyboard.press('X');
    await bar.getByRole('button', { name: 'Merge' }).click();
    await page.getByRole('radio', { name: /INC-142/ }).check();
    await page.getByRole('button', { name: 'Merge 4 into INC-142' }).click();
    await page.getByText('4 merged into INC-142').first().waitFor();
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('heading', { level: 1, name: /checkout-api/ }).waitFor();
  },

  async 'a view is saved, found again after a reload by keyboard, and is an address'(page, url) {
    await page.goto(`${url}/incidents?q=is:open+severity:high&mock=shop&still`);
    await page.getByRole('row').first().waitFor();
    await page.keyboard.press('v');
    await page.getByRole('menuitem', { name: 'Save this view' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByLabel('Name').fill('Severe');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'View: Severe' }).waitFor();
    await page.goto(`${url}/incidents`);
    await page.getByRole('row').nth(4).waitFor();
    await page.keyboard.press('v');
    await page.getByRole('menuitemradio', { name: 'Severe' }).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/q=is%3Aopen\+severity%3Ahigh/);
    await page.keyboard.press('v');
    await page.getByRole('menuitem', { name: 'Rename, share or delete' }).click();
    await page.getByRole('button', { name: 'Rename Severe' }).click();
    await page.getByLabel('New name of Severe').fill('High');
    await page.keyboard.press('Enter');
    const address = await page.getByRole('link', { name: 'High' }).getAttribute('href');
    assert.match(address, /^\/incidents\?.*project=/);
    await page.goto(url + address);
    await page.getByRole('button', { name: 'View: High' }).waitFor();
    assert.equal(await page.getByRole('row').count(), 2);
  },
};
