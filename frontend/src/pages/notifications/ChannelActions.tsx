/** What is done to a whole channel: turned off and on, its secret made anew, deleted. */
import { useNavigate } from '@tanstack/react-router';
import { Ellipsis } from 'lucide-react';
import { useState } from 'react';
import { actions, useAction } from '../../api/actions';
import { sentenceOf } from '../../api/errors';
import type { Channel } from '../../api/types';
import { Confirm } from '../../components/Confirm';
import { useBlocked, useMe } from '../../components/me';
import { Button, IconButton } from '../../ui/Button';
import { Menu, MenuItem } from '../../ui/Menu';
import { toast } from '../../ui/Toast';
import { counted } from '../../util/numbers';
import { SigningSecret } from './SigningSecret';

export function ChannelActions({ channel }: { channel: Channel }) {
  const blocked = useBlocked('admin');
  const [asking, setAsking] = useState<'rotate' | 'delete' | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const close = () => setAsking(null);
  return (
    <>
      <OnOff channel={channel} blocked={blocked} />
      {!blocked && (
        <Menu
          trigger={
            <IconButton label="More actions">
              <Ellipsis className="size-4" aria-hidden="true" />
            </IconButton>
          }
        >
          {channel.kind === 'webhook' && (
            <MenuItem onClick={() => setAsking('rotate')}>New signing secret</MenuItem>
          )}
          <MenuItem danger onClick={() => setAsking('delete')}>
            Delete
          </MenuItem>
        </Menu>
      )}
      {asking === 'rotate' && <Rotate channel={channel} onClose={close} onMade={setSecret} />}
      {asking === 'delete' && <Delete channel={channel} onClose={close} />}
      {secret && <SigningSecret name={channel.name} secret={secret} again onClose={() => setSecret(null)} />}
    </>
  );
}

function OnOff({ channel, blocked }: { channel: Channel; blocked: string | undefined }) {
  const { project } = useMe();
  const change = useAction(actions.changeChannel, ['channel', 'channels']);
  const { enabled, health, name } = channel;
  const [asking, setAsking] = useState(false);
  const turn = (on: boolean) =>
    change.mutate(
      { project: project.id, id: channel.id, change: { enabled: on } },
      {
        onSuccess: () => {
          setAsking(false);
          toast({
            about: 'channel',
            title: `${name} is ${on ? 'on' : 'off'}`,
            ...(!on && { action: { label: 'Undo', run: () => turn(true) } }),
          });
        },
        onError: (error) => toast({ about: 'channel', title: sentenceOf(error), tone: 'bad' }),
      },
    );
  return (
    <>
      <Button
        look={enabled ? 'secondary' : 'primary'}
        pending={change.isPending && !asking}
        blocked={blocked}
        onClick={() => (enabled && health.waiting > 0 ? setAsking(true) : turn(!enabled))}
      >
        {enabled ? 'Turn off' : 'Turn on'}
      </Button>
      {asking && (
        <Confirm
          title={`Turn ${name} off?`}
          action="Turn off"
          danger
          pending={change.isPending}
          error={change.error && sentenceOf(change.error)}
          onClose={() => setAsking(false)}
          onConfirm={() => turn(false)}
        >
          {counted(health.waiting, 'notification')} that it still has to send will not be sent, also when it
          is turned on again.
        </Confirm>
      )}
    </>
  );
}

type Asking = { channel: Channel; onClose: () => void };

function Rotate({ channel, onClose, onMade }: Asking & { onMade: (secret: string) => void }) {
  const { project } = useMe();
  const rotate = useAction(actions.rotateSecret, ['channel']);
  return (
    <Confirm
      title="Make a new signing secret?"
      action="Make a new secret"
      pending={rotate.isPending}
      error={rotate.error && sentenceOf(rotate.error)}
      onClose={onClose}
      onConfirm={() =>
        rotate.mutate(
          { project: project.id, id: channel.id },
          {
            onSuccess: ({ signing_secret }) => {
              onClose();
              if (signing_secret) onMade(signing_secret);
            },
          },
        )
      }
    >
      The old one signs for another 24 hours, too, so nothing is lost while you change the receiver.
    </Confirm>
  );
}

function Delete({ channel, onClose }: Asking) {
  const { project } = useMe();
  const navigate = useNavigate();
  const drop = useAction(actions.deleteChannel, ['channels']);
  const { waiting } = channel.health;
  return (
    <Confirm
      title={`Delete ${channel.name}?`}
      action="Delete"
      danger
      pending={drop.isPending}
      error={drop.error && sentenceOf(drop.error)}
      onClose={onClose}
      onConfirm={() =>
        drop.mutate(
          { project: project.id, id: channel.id },
          { onSuccess: () => void navigate({ to: '/notifications', ignoreBlocker: true }) },
        )
      }
    >
      It is told nothing from then on, and the list of what it sent is gone.
      {waiting > 0 && ` ${counted(waiting, 'notification')} that it still has to send will not be sent.`}
    </Confirm>
  );
}
