import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import { Button } from './Button';
import { Toaster, ToastPlace } from './Toast';

it('says why it is blocked to a screen reader, and to a finger that presses it', async () => {
  const act = vi.fn();
  render(
    <Toaster>
      <Button blocked="Only an engineer can do this." onClick={act}>
        Resolve
      </Button>
      <ToastPlace />
    </Toaster>,
  );
  const button = screen.getByRole('button', { name: 'Resolve' });
  const described = document.getElementById(button.getAttribute('aria-describedby') ?? '');
  expect(described?.textContent).toBe('Only an engineer can do this.');
  await userEvent.click(button);
  expect(act).not.toHaveBeenCalled();
  expect((await screen.findAllByText('Only an engineer can do this.')).length).toBeGreaterThan(1);
});
