/** Giving the filter of now a name. */
import { useState } from 'react';
import { Button } from '../../ui/Button';
import { Dialog, DialogActions } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
import { toast } from '../../ui/Toast';
import { LONGEST_NAME, nameProblem, type SavedViews } from './savedViews';

/** What is said when the browser does not keep a change. */
export const NOT_KEPT = 'This browser does not keep it: its storage is full or turned off.';

type Props = { saved: SavedViews; filter: string; onClose: () => void };

export function SaveView({ saved, filter, onClose }: Props) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<string>();
  const submit = () => {
    const wrong = nameProblem(name, saved.views);
    if (wrong) return setProblem(wrong);
    if (!saved.save(name, filter)) return setProblem(NOT_KEPT);
    toast({ about: 'views', title: `Saved as “${name.trim()}”` });
    onClose();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title="Save this view"
      description="It is kept in this browser, for you and this project."
    >
      <form
        className="space-y-3"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <TextField
          label="Name"
          placeholder="Checkout at night"
          maxLength={LONGEST_NAME}
          value={name}
          error={problem}
          onChange={(event) => {
            setName(event.target.value);
            setProblem(undefined);
          }}
        />
        <FilterText filter={filter} />
        <DialogActions>
          <Button look="ghost" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary">
            Save
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** A filter as it is written; the empty one lists everything. */
export function FilterText({ filter }: { filter: string }) {
  if (filter.trim() === '') return <p className="text-[13px] text-muted">every incident</p>;
  return <p className="font-mono text-[13px] text-muted [overflow-wrap:anywhere]">{filter}</p>;
}
