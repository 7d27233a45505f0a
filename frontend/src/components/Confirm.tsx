/** Asks before something that cannot be undone, and says what it will do. */
import type { ReactNode } from 'react';
import { Button } from '../ui/Button';
import { Dialog, DialogActions } from '../ui/Dialog';
import { FormError } from '../ui/Field';

type Props = {
  title: string;
  action: string;
  danger?: boolean;
  pending: boolean;
  error?: string | null;
  children: ReactNode;
  onConfirm: () => void;
  onClose: () => void;
};

export function Confirm({ title, action, danger, pending, error, children, onConfirm, onClose }: Props) {
  return (
    <Dialog open onClose={onClose} title={title} description={children}>
      <FormError>{error}</FormError>
      <DialogActions>
        <Button look="ghost" onClick={onClose}>
          Cancel
        </Button>
        <Button look={danger ? 'danger' : 'primary'} pending={pending} onClick={onConfirm}>
          {action}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
