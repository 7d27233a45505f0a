import { act, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, it, vi } from 'vitest';
import { ApiError, unreachable } from '../api/errors';
import { ErrorState } from './ErrorState';

afterEach(() => vi.useRealTimers());

it('asks again by itself while the server is away, less and less often', async () => {
  vi.useFakeTimers();
  const retry = vi.fn();
  const view = render(<ErrorState error={unreachable()} onRetry={retry} />);
  expect(screen.getByRole('alert').textContent).toBe('The server can’t be reached.');
  expect(screen.getByText(/asks again in 2 s/)).toBeTruthy();
  for (const [wait, calls] of [
    [2000, 1],
    [4000, 2],
    [8000, 3],
  ] as const) {
    await act(() => vi.advanceTimersByTimeAsync(wait - 100));
    expect(retry).toHaveBeenCalledTimes(calls - 1);
    await act(() => vi.advanceTimersByTimeAsync(100));
    expect(retry).toHaveBeenCalledTimes(calls);
    view.rerender(<ErrorState error={unreachable()} onRetry={retry} />);
  }
});

it('asks again at once when the network is back', () => {
  const retry = vi.fn();
  render(<ErrorState error={unreachable()} onRetry={retry} />);
  window.dispatchEvent(new Event('online'));
  expect(retry).toHaveBeenCalledTimes(1);
});

it('leaves a refusal alone until someone asks', async () => {
  const retry = vi.fn();
  render(<ErrorState error={new ApiError(500, 'No.')} onRetry={retry} />);
  window.dispatchEvent(new Event('online'));
  expect(screen.queryByText(/asks again/)).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(retry).toHaveBeenCalledTimes(1);
});

it('counts down what the server asked to wait when there were too many requests', async () => {
  vi.useFakeTimers();
  const retry = vi.fn();
  const error = Object.assign(new ApiError(429, 'Too many requests.'), { retryAfter_ms: 12_000 });
  render(<ErrorState error={error} onRetry={retry} />);
  expect(screen.getByText('This page asks again in 12 s.')).toBeTruthy();
  await act(() => vi.advanceTimersByTimeAsync(11_900));
  expect(retry).not.toHaveBeenCalled();
  await act(() => vi.advanceTimersByTimeAsync(100));
  expect(retry).toHaveBeenCalledTimes(1);
});

it('offers no second try for what one may not see', () => {
  render(<ErrorState error={new ApiError(403, 'Your role does not allow this.')} onRetry={() => {}} />);
  expect(screen.queryByRole('button')).toBeNull();
});
