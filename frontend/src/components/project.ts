/** The project on the screen. A session has one at a time, so a switch in one tab is a switch in all of them. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { actions } from '../api/actions';
import { q } from '../api/endpoints';
import { sentenceOf } from '../api/errors';
import { toast } from '../ui/Toast';

const CHANNEL = 'sre-copilot.project';

/** Moves the session to another project, and this tab to its incidents unless it is to stay where it is. */
export function useSwitchProject({ stay = false } = {}): (project: string) => void {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { mutate } = useMutation({
    mutationFn: actions.switchProject,
    onSuccess: async (me) => {
      if (!stay) await navigate({ to: '/incidents', ignoreBlocker: true });
      client.setQueryData(q.me().queryKey, me);
      tellOtherTabs();
    },
    onError: (error) => toast({ title: sentenceOf(error), tone: 'bad' }),
  });
  return mutate;
}

/** Learns of a switch in another tab, and after any switch reads everything anew. */
export function useFollowProject(project: string): void {
  const client = useQueryClient();
  useEffect(() => {
    const channel = new BroadcastChannel(CHANNEL);
    channel.onmessage = () => void client.invalidateQueries({ queryKey: q.me().queryKey });
    return () => channel.close();
  }, [client]);
  const shown = useRef(project);
  useEffect(() => {
    if (shown.current === project) return;
    shown.current = project;
    void client.resetQueries({ predicate: (query) => query.queryKey[0] !== q.me().queryKey[0] });
  }, [client, project]);
}

function tellOtherTabs(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage('switched');
  channel.close();
}
