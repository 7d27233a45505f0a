/** Starts the live updates of the project on the screen and tells the pages about them. */
import { type Query, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import { Live, type LiveStatus } from '../api/live';
import { refreshAfter } from '../api/refreshes';
import type { LiveEvent } from '../api/types';

const LiveContext = createContext<Live | null>(null);

type Props = {
  /** The project followed; another one starts another connection. */
  project: string;
  onEvents: (events: LiveEvent[]) => void;
  children: ReactNode;
};

export function LiveProvider({ project, onEvents, children }: Props) {
  const client = useQueryClient();
  const [live] = useState(
    () =>
      new Live({
        open: (url) => new WebSocket(url),
        url: socketUrl,
        now: () => Date.now(),
        random: () => Math.random(),
        onEvents: (events) => {
          refreshAfter(client, events);
          onEvents(events);
        },
        onResync: () => void client.invalidateQueries(),
        onRefused: () => void client.invalidateQueries({ queryKey: ['me'] }),
      }),
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: another project is another connection
  useEffect(() => {
    live.start();
    const retry = () => live.retryNow();
    const gone = () => live.networkGone();
    window.addEventListener('online', retry);
    window.addEventListener('offline', gone);
    return () => {
      window.removeEventListener('online', retry);
      window.removeEventListener('offline', gone);
      live.stop();
    };
  }, [live, project]);
  useEffect(() => {
    let before = live.snapshot().kind;
    return live.watch(() => {
      const now = live.snapshot().kind;
      if (now === 'live' && before === 'reconnecting') void client.refetchQueries({ predicate: hasFailed });
      before = now;
    });
  }, [live, client]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

export function useLiveStatus(): LiveStatus {
  const live = useContext(LiveContext);
  return useSyncExternalStore(live?.watch ?? ignore, live?.snapshot ?? off);
}

const hasFailed = (query: Query) => query.state.status === 'error';
const OFF: LiveStatus = { kind: 'off' };
const off = () => OFF;
const ignore = () => () => {};

function socketUrl(resume: { epoch: string; seq: number } | null): string {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const query = resume ? `?epoch=${encodeURIComponent(resume.epoch)}&seq=${resume.seq}` : '';
  return `${scheme}//${location.host}/ws${query}`;
}
