/** The one-time link: its fragment is exchanged for a session by POST, so no server log ever holds it. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { actions } from '../../api/actions';
import { sentenceOf } from '../../api/errors';
import { Skeleton } from '../../ui/Notice';
import { takeFragment, useEnter } from './enter';
import { Frame } from './Frame';

export default function LinkPage() {
  const [token] = useState(takeFragment);
  const enter = useEnter();
  const exchange = useQuery({
    queryKey: ['link', token],
    queryFn: () => actions.openLink({ token }),
    enabled: token !== '',
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  });
  const { isSuccess } = exchange;
  // biome-ignore lint/correctness/useExhaustiveDependencies: entering happens once, when the exchange succeeded
  useEffect(() => {
    if (isSuccess) enter();
  }, [isSuccess]);
  const failed = !token || exchange.isError;
  const session = useQuery({
    queryKey: ['link', 'session'],
    queryFn: () => actions.refresh().then(() => true),
    enabled: failed,
    retry: false,
    refetchOnWindowFocus: false,
  });
  if (failed)
    return (
      <Frame
        title="This link does not work any more"
        lead={
          token ? sentenceOf(exchange.error) : 'It works once, and only with everything after the # sign.'
        }
      >
        {session.isPending ? (
          <Skeleton rows={1} />
        ) : (
          <a href={session.data ? '/' : '/login'} className="text-link text-sm hover:underline">
            {session.data ? 'You are signed in already: go to the dashboard' : 'Go to sign-in'}
          </a>
        )}
      </Frame>
    );
  return (
    <Frame title="Signing you in">
      <Skeleton rows={2} />
    </Frame>
  );
}
