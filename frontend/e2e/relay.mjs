/** Lets the real build talk to the mock, which answers from another tab. */

export async function relayApi(page, mockUrl, realUrl, { isUp = () => true } = {}) {
  const mock = await page.context().newPage();
  await mock.goto(`${mockUrl}/incidents?mock=shop&still`);
  await mock.getByRole('grid').waitFor();
  await page.route('**/api/v1/**', async (route) => {
    if (!isUp()) return route.abort();
    const asked = route.request();
    const path = asked.url().slice(realUrl.length);
    const answer = await mock.evaluate(
      async ([to, method, body]) => {
        const got = await fetch(to, { method, body });
        return { status: got.status, body: await got.text(), type: got.headers.get('content-type') };
      },
      [path, asked.method(), asked.postData()],
    );
    await route.fulfill({
      status: answer.status,
      body: answer.body,
      contentType: answer.type ?? 'application/json',
    });
  });
}
