/** Everything that a key does here, found by its name; and any incident, by its number. */
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useId, useState } from 'react';
import { paths } from '../paths';
import { cx } from '../ui/cx';
import { Dialog } from '../ui/Dialog';
import { KeyCaps } from './KeyCaps';
import { runKeys, useKeyList } from './keys';

type Command = { id: string; label: string; group: string; keys?: string; run: () => void };

export function Palette({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title="Commands">
      {open && <Commands onClose={onClose} />}
    </Dialog>
  );
}

function Commands({ onClose }: { onClose: () => void }) {
  const list = useId();
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const commands = useCommands(text.trim());
  const chosen = commands[Math.min(active, commands.length - 1)];
  /** The dialog gives the focus back as it closes, so what takes the focus comes after. */
  const run = (command: Command | undefined) => {
    onClose();
    if (command) setTimeout(command.run, 200);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setActive((before) => (before + step + commands.length) % Math.max(1, commands.length));
    else if (event.key === 'Enter') run(chosen);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <input
        role="combobox"
        aria-label="Command or incident"
        aria-expanded
        aria-controls={list}
        aria-activedescendant={chosen && `${list}-${chosen.id}`}
        placeholder="A page, an action, INC-42 or words to filter by"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        autoComplete="off"
        spellCheck={false}
        className="mt-1 mb-2 h-9 w-full rounded-md border border-control bg-page px-2.5 max-md:h-11 max-md:text-base md:text-sm"
      />
      <div role="listbox" id={list} aria-label="Commands">
        {commands.map((command) => (
          <button
            type="button"
            key={command.id}
            id={`${list}-${command.id}`}
            role="option"
            tabIndex={-1}
            aria-selected={command === chosen}
            ref={(element) => {
              if (command === chosen) element?.scrollIntoView({ block: 'nearest' });
            }}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => run(command)}
            className={cx(
              'flex min-h-9 w-full cursor-default items-center gap-3 rounded-md px-2.5 text-left text-sm max-md:min-h-11',
              command === chosen ? 'bg-tint' : 'hover:bg-hover',
            )}
          >
            <span className="flex-1">{command.label}</span>
            <span className="text-muted text-xs">{command.group}</span>
            {command.keys && <KeyCaps keys={command.keys} />}
          </button>
        ))}
      </div>
    </>
  );
}

/** What the text finds: the incident of that number, what keys do, and the list filtered by it. */
function useCommands(text: string): Command[] {
  const navigate = useNavigate();
  const registered = useKeyList().flatMap(({ group, actions }) =>
    actions.map(({ keys, label }) => ({
      id: `${group}-${keys}`,
      label,
      group,
      keys,
      run: () => runKeys(keys),
    })),
  );
  const words = text.toLowerCase().split(/\s+/);
  const found = registered.filter(
    (one) =>
      one.keys !== 'mod+k' && words.every((word) => `${one.label} ${one.group}`.toLowerCase().includes(word)),
  );
  const number = /^(?:inc-?)?(\d+)$/i.exec(text)?.[1];
  const go = (to: string, label: string): Command[] => [
    { id: to, label, group: 'Incidents', run: () => void navigate({ href: to }) },
  ];
  return [
    ...(number ? go(paths.incident(Number(number)), `Open INC-${number}`) : []),
    ...found,
    ...(text && !number ? go(paths.incidents(text), `Filter incidents by “${text}”`) : []),
  ];
}
