/** The saved views of the list: the one that is shown, the others, and keeping this filter as one. */
import { Bookmark, ChevronDown } from 'lucide-react';
import { useRef, useState } from 'react';
import { useKeys } from '../../components/keys';
import { Button } from '../../ui/Button';
import { Menu, MenuChoice, MenuItem, MenuSeparator } from '../../ui/Menu';
import { ManageViews } from './ManageViews';
import { SaveView } from './SaveView';
import { MOST_VIEWS, useSavedViews, viewOf } from './savedViews';

type Props = { text: string; onChange: (text: string) => void };

export function ViewMenu({ text, onChange }: Props) {
  const saved = useSavedViews();
  const { views } = saved;
  const [asking, setAsking] = useState<'save' | 'manage' | null>(null);
  const trigger = useRef<HTMLButtonElement>(null);
  const shown = viewOf(views, text);
  const full = views.length >= MOST_VIEWS;
  useKeys('Incident list', [{ keys: 'v', label: 'Saved views', run: () => trigger.current?.click() }]);
  return (
    <>
      <Menu
        trigger={
          <Button ref={trigger} className="max-w-56 max-md:px-2.5" title={shown?.name}>
            <Bookmark className="size-4 shrink-0" aria-hidden="true" />
            <span className="truncate max-md:sr-only">
              {shown ? (
                <>
                  <span className="sr-only">View: </span>
                  {shown.name}
                </>
              ) : (
                'Views'
              )}
            </span>
            <ChevronDown className="size-3.5 shrink-0 text-muted max-md:hidden" aria-hidden="true" />
          </Button>
        }
      >
        {views.length > 0 && (
          <MenuChoice
            label="Saved views"
            value={shown?.name ?? ''}
            options={views.map(({ name }) => ({ value: name, label: name }))}
            onChange={(name) => {
              const view = views.find((one) => one.name === name);
              if (view) onChange(view.filter);
            }}
          />
        )}
        {views.length > 0 && <MenuSeparator />}
        {!shown && !full && <MenuItem onClick={() => setAsking('save')}>Save this view</MenuItem>}
        {!shown && full && (
          <p className="px-2.5 py-1.5 text-[13px] text-muted">
            There are {MOST_VIEWS} views, which is the most. Delete one to save another.
          </p>
        )}
        {views.length > 0 && <MenuItem onClick={() => setAsking('manage')}>Rename, share or delete</MenuItem>}
      </Menu>
      {asking === 'save' && <SaveView saved={saved} filter={text} onClose={() => setAsking(null)} />}
      {asking === 'manage' && <ManageViews saved={saved} onClose={() => setAsking(null)} />}
    </>
  );
}
