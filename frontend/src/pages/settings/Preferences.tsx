/** What this browser remembers: theme, zone, keys. Nothing of it reaches the server. */
import type { ReactNode } from 'react';
import { setPrefs, type Theme, usePrefs } from '../../components/prefs';
import { Card } from '../../ui/Card';
import { Segmented } from '../../ui/Segmented';
import { type Zone, zoneName } from '../../util/time';

const THEMES: readonly { value: Theme; label: string }[] = [
  { value: 'system', label: 'As the system' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
];

export function Preferences() {
  const { theme, zone, shortcuts } = usePrefs();
  const zones: readonly { value: Zone; label: string }[] = [
    { value: 'local', label: `Local (${zoneName(Date.now(), 'local')})` },
    { value: 'utc', label: 'UTC' },
  ];
  return (
    <Card title="Kept in this browser only">
      <dl className="divide-y divide-hairline">
        <Line name="Theme">
          <Segmented
            label="Theme"
            value={theme}
            options={THEMES}
            onChange={(next) => setPrefs({ theme: next })}
          />
        </Line>
        <Line name="Times">
          <Segmented
            label="Times"
            value={zone}
            options={zones}
            onChange={(next) => setPrefs({ zone: next })}
          />
        </Line>
        <Line name="Single keys">
          <Segmented
            label="Single keys"
            value={shortcuts ? 'on' : 'off'}
            options={[
              { value: 'on', label: 'Act' },
              { value: 'off', label: 'Do nothing' },
            ]}
            onChange={(next) => setPrefs({ shortcuts: next === 'on' })}
          />
        </Line>
      </dl>
    </Card>
  );
}

function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-3 py-3 text-sm first:pt-1 last:pb-0">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
