import { HttpResponse, http } from 'msw';
import { expect, it, vi } from 'vitest';
import { server } from '../../mock/testing';
import { lazyPage, MissingCode } from './lazyPage';

const away = () => server.use(http.get('*/api/v1/auth/setup', () => HttpResponse.error()));
const failure = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => error,
  );

it('asks for the code again after the server was away', async () => {
  const load = vi.fn().mockRejectedValueOnce(new TypeError('failed to fetch'));
  const page = lazyPage(load.mockResolvedValue({ default: () => null }));
  away();
  expect(await failure(page.preload())).toMatchObject({ mayPass: true });
  expect(await failure(page.preload())).toBeNull();
  await page.preload();
  expect(load).toHaveBeenCalledTimes(2);
});

it('tells code that is gone from a server that is', async () => {
  const reload = vi.spyOn(location, 'reload').mockImplementation(() => {});
  const page = lazyPage(() => Promise.reject(new TypeError('404')));
  expect(await failure(page.preload())).toBeInstanceOf(MissingCode);
  expect(reload).not.toHaveBeenCalled();
});
