/** The list of keys that act on this page. */
import { Dialog } from '../ui/Dialog';
import { KeyCaps } from './KeyCaps';
import { type KeyAction, useKeyList } from './keys';
import { setPrefs, usePrefs } from './prefs';

export function KeyHelp({ open, onClose }: { open: boolean; onClose: () => void }) {
  const groups = byGroup(useKeyList());
  const { shortcuts } = usePrefs();
  return (
    <Dialog open={open} onClose={onClose} title="Keys">
      <label className="flex items-center gap-2 border-hairline border-b pt-1 pb-3 mb-3 text-sm">
        <input
          type="checkbox"
          checked={shortcuts}
          onChange={(event) => setPrefs({ shortcuts: event.target.checked })}
          className="size-4 accent-(--primary)"
        />
        Single keys act
      </label>
      {groups.map((group) => (
        <section key={group.group} className="mb-4">
          <h3 className="mb-1 text-muted text-xs">{group.group}</h3>
          <dl>
            {group.actions.map((action) => (
              <div key={action.keys} className="flex h-8 items-center justify-between text-sm">
                <dt>{action.label}</dt>
                <dd>
                  <KeyCaps keys={action.keys} />
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}

function byGroup(entries: ReturnType<typeof useKeyList>): { group: string; actions: KeyAction[] }[] {
  const groups = new Map<string, KeyAction[]>();
  for (const { group, actions } of entries) groups.set(group, [...(groups.get(group) ?? []), ...actions]);
  return [...groups].map(([group, actions]) => ({ group, actions }));
}
