/** The saved views one by one: renamed, shared as an address, deleted. */
import { Link } from '@tanstack/react-router';
import { Check, Link2, Pencil, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useMe } from '../../components/me';
import { paths } from '../../paths';
import { Button, IconButton } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { FormError, TextField } from '../../ui/Field';
import { FilterText, NOT_KEPT } from './SaveView';
import { LONGEST_NAME, nameProblem, type SavedViews, type View } from './savedViews';

const COPIED_MS = 2000;

export function ManageViews({ saved, onClose }: { saved: SavedViews; onClose: () => void }) {
  const [renaming, setRenaming] = useState<string | null>(null);
  const [renamed, setRenamed] = useState<string | null>(null);
  const [gone, setGone] = useState<{ view: View; index: number } | null>(null);
  const [problem, setProblem] = useState<string>();
  const keep = (kept: boolean) => setProblem(kept ? undefined : NOT_KEPT);
  const remove = (view: View, index: number) => {
    const kept = saved.remove(view.name);
    keep(kept);
    if (kept) setGone({ view, index });
  };
  const restore = () => {
    if (gone) keep(saved.restore(gone.view, gone.index));
    setGone(null);
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title="Saved views"
      description="They are kept in this browser, for you and this project. A link shows the same to everybody who may see the project."
    >
      <FormError>{problem}</FormError>
      {gone && (
        <p role="status" className="flex items-center gap-2 rounded-md bg-surface py-1 pr-1 pl-3 text-sm">
          <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">Deleted “{gone.view.name}”.</span>
          <Button autoFocus size="sm" onClick={restore}>
            Undo
          </Button>
        </p>
      )}
      <ul aria-label="Saved views" className="divide-y divide-hairline">
        {saved.views.map((view, index) => (
          <li key={view.name} className="py-2">
            {renaming === view.name ? (
              <Rename
                saved={saved}
                view={view}
                onDone={(name) => {
                  setRenaming(null);
                  setRenamed(name);
                }}
              />
            ) : (
              <Line
                view={view}
                focused={renamed === view.name}
                onOpen={onClose}
                onRename={() => setRenaming(view.name)}
                onDelete={() => remove(view, index)}
              />
            )}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

type LineProps = {
  view: View;
  focused: boolean;
  onOpen: () => void;
  onRename: () => void;
  onDelete: () => void;
};

function Line({ view, focused, onOpen, onRename, onDelete }: LineProps) {
  const { project } = useMe();
  return (
    <div className="flex items-start gap-1">
      <div className="min-w-0 flex-1 text-sm">
        <p className="font-medium [overflow-wrap:anywhere]">
          <Link
            to="/incidents"
            search={{ q: view.filter, project: project.id }}
            onClick={onOpen}
            className="text-link hover:underline"
          >
            <bdi>{view.name}</bdi>
          </Link>
        </p>
        <FilterText filter={view.filter} />
      </div>
      <CopyLink view={view} />
      <IconButton label={`Rename ${view.name}`} onClick={onRename} autoFocus={focused}>
        <Pencil className="size-4" aria-hidden="true" />
      </IconButton>
      <IconButton label={`Delete ${view.name}`} onClick={onDelete}>
        <Trash2 className="size-4" aria-hidden="true" />
      </IconButton>
    </div>
  );
}

/** The address names the project, so that it means the same to whoever gets it. */
function CopyLink({ view }: { view: View }) {
  const { project } = useMe();
  const [copied, setCopied] = useState(false);
  const Icon = copied ? Check : Link2;
  // A page that came over plain http may not write there; the name of the view is a link in any case.
  const { clipboard } = navigator;
  if (!clipboard) return null;
  const copy = async () => {
    await clipboard.writeText(`${location.origin}${paths.incidents(view.filter, project.id)}`);
    setCopied(true);
    setTimeout(() => setCopied(false), COPIED_MS);
  };
  return (
    <>
      <IconButton label={`Copy a link to ${view.name}`} onClick={() => void copy()}>
        <Icon className="size-4" aria-hidden="true" />
      </IconButton>
      <span className="sr-only" aria-live="polite">
        {copied && 'Link copied'}
      </span>
    </>
  );
}

type RenameProps = { saved: SavedViews; view: View; onDone: (name: string) => void };

function Rename({ saved, view, onDone }: RenameProps) {
  const [name, setName] = useState(view.name);
  const [problem, setProblem] = useState<string>();
  const submit = () => {
    const wrong = nameProblem(name, saved.views, view.name);
    if (wrong) return setProblem(wrong);
    if (!saved.rename(view.name, name)) return setProblem(NOT_KEPT);
    onDone(name.trim());
  };
  return (
    <form
      className="space-y-2"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <TextField
        label={`New name of ${view.name}`}
        maxLength={LONGEST_NAME}
        autoFocus
        value={name}
        error={problem}
        onChange={(event) => {
          setName(event.target.value);
          setProblem(undefined);
        }}
      />
      <div className="flex justify-end gap-2">
        <Button look="ghost" onClick={() => onDone(view.name)}>
          Cancel
        </Button>
        <Button type="submit" look="primary">
          Rename
        </Button>
      </div>
    </form>
  );
}
