/** The keys of an action as they are called on the reader's keyboard. */
import { Key } from '../ui/Menu';

const MOD = /mac/i.test(navigator.userAgent) ? '⌘' : 'Ctrl';

export function KeyCaps({ keys }: { keys: string }) {
  return (
    <span className="flex gap-1">
      {capsOf(keys).map((cap) => (
        <Key key={cap}>{cap}</Key>
      ))}
    </span>
  );
}

/** `g i` is two caps, `mod+k` and a capital letter are two that are held. */
export function capsOf(keys: string): string[] {
  if (/^[A-Z]$/.test(keys)) return ['Shift', keys];
  if (keys.startsWith('mod+')) return [MOD, keys.slice(4).toUpperCase()];
  return keys.replace('Escape', 'Esc').split(' ');
}
