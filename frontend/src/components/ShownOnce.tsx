/** A secret that is shown once: closing it before it was copied asks first. */
import { useState } from 'react';
import { Button } from '../ui/Button';
import { Code } from '../ui/Copy';
import { Dialog, DialogActions } from '../ui/Dialog';

type Props = {
  title: string;
  description: string;
  /** What it is, as in “the link was not copied”. */
  noun: string;
  label: string;
  text: string;
  onClose: () => void;
};

export function ShownOnce({ title, description, noun, label, text, onClose }: Props) {
  const [copied, setCopied] = useState(false);
  return (
    <Dialog
      open
      onClose={onClose}
      title={title}
      description={description}
      loses={copied ? undefined : `The ${noun} was not copied, and it can’t be shown again.`}
    >
      <Code label={label} text={text} onCopied={() => setCopied(true)} />
      <DialogActions>
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      </DialogActions>
    </Dialog>
  );
}
