/** Starts the live updates of the project on the screen and tells the pages about them. */
import { type Query, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import { Live, type LiveStatus } from '../api/live';
import { Refresher } from '../api/refresher';
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
  const [refresher] = useState(() => new Refresher(client, isSeen));
  const [live] = useState(
    () =>
      new Live({
        open: (url) => new WebSocket(url),
        url: socketUrl,
        now: () => Date.now(),
        random: () => Math.random(),
        onEvents: (events) => {
          refresher.take(events);
          onEvents(events);
        },
        onResync: () => refresher.resync(),
        onRefused: () => void client.invalidateQueries({ queryKey: ['me'] }),
      }),
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: another project is another connection
  useEffect(() => {
    live.start();
    const retry = () => live.retryNow();
    const gone = () => live.networkGone();
    const looked = () => refresher.wake();
    document.addEventListener('visibilitychange', looked);
    window.addEventListener('online', retry);
    window.addEventListener('offline', gone);
    return () => {
      window.removeEventListener('online', retry);
      window.removeEventListener('offline', gone);
      document.removeEventListener('visibilitychange', looked);
      refresher.stop();
      live.stop();
    };
  }, [live, refresher, project]);
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

const isSeen = () => document.visibilityState === 'visible';
const hasFailed = (query: Query) => query.state.status === 'error';
const OFF: LiveStatus = { kind: 'off' };
const off = () => OFF;
const ignore = () => () => {};

function socketUrl(resume: { epoch: string; seq: number } | null): string {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const query = resume ? `?epoch=${encodeURIComponent(resume.epoch)}&seq=${resume.seq}` : '';
  return `${scheme}//${location.host}/ws${query}`;
}
