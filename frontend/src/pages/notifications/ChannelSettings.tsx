/** What a channel is told and where it sends to, and whether a message really arrives there. */
import { CircleCheck, CircleX } from 'lucide-react';
import { useForm } from 'react-hook-form';
import { actions, useAction } from '../../api/actions';
import { formError, sentenceOf } from '../../api/errors';
import type { Channel, ChannelTest } from '../../api/types';
import { LeaveGuard } from '../../components/LeaveGuard';
import { useBlocked, useMe } from '../../components/me';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { FormError } from '../../ui/Field';
import { sentence } from '../../util/sentence';
import { stepDuration } from '../../util/time';
import { ChannelFields } from './ChannelFields';
import { type ChannelForm, changeOf, FIELDS, formOf } from './form';

export function ChannelSettings({ channel }: { channel: Channel }) {
  const { project } = useMe();
  const blocked = useBlocked('admin');
  const target = { project: project.id, id: channel.id };
  const save = useAction(actions.changeChannel, ['channel', 'channels']);
  const test = useAction(actions.testChannel, ['channel', 'channels', 'channelNotifications']);
  // What somebody else changes arrives in the fields that were not touched.
  const form = useForm<ChannelForm>({
    values: formOf(channel),
    resetOptions: { keepDirtyValues: true },
  });
  const { isDirty } = form.formState;
  const settle = (as: Channel) => form.reset(formOf(as), { keepDirtyValues: false });
  const store = (typed: ChannelForm, then?: () => void) => {
    test.reset();
    save.mutate(
      { ...target, change: changeOf(typed, channel) },
      {
        onSuccess: (saved) => {
          settle(saved);
          then?.();
        },
      },
    );
  };
  /** What is tested is what is typed, so that is saved first. */
  const tryOut = form.handleSubmit((typed) => {
    if (isDirty) store(typed, () => test.mutate(target));
    else test.mutate(target);
  });
  return (
    <Card title="What it is told, and where">
      <form onSubmit={form.handleSubmit((typed) => store(typed))} className="space-y-4" noValidate>
        <fieldset disabled={blocked !== undefined} className="min-w-0 space-y-4">
          <legend className="sr-only">Settings of the channel</legend>
          <ChannelFields form={form} refused={save.error} address={channel.address} />
        </fieldset>
        <LeaveGuard when={isDirty}>What you changed of this channel is not saved yet.</LeaveGuard>
        <FormError>{formError(save.error, FIELDS)}</FormError>
        <div className="flex flex-wrap items-center gap-2">
          {isDirty && (
            <>
              <Button type="submit" look="primary" pending={save.isPending} blocked={blocked}>
                Save
              </Button>
              <Button look="ghost" onClick={() => settle(channel)}>
                Undo
              </Button>
            </>
          )}
          <Button pending={test.isPending} blocked={blocked} onClick={() => void tryOut()}>
            {isDirty ? 'Save and send a test' : 'Send a test'}
          </Button>
          <span aria-live="polite" className="min-w-0 text-sm">
            {test.data && !test.isPending && <Answer result={test.data} />}
            {test.error && <span className="text-critical">{sentenceOf(test.error)}</span>}
          </span>
        </div>
      </form>
    </Card>
  );
}

/** What the other side answered, as it did. */
function Answer({ result: { ok, status_code, detail, took_ms } }: { result: ChannelTest }) {
  const Icon = ok ? CircleCheck : CircleX;
  // The reason names the code of a refusal by itself.
  const code = ok && status_code !== null ? ` (${status_code})` : '';
  return (
    <span className="inline-flex items-start gap-1.5">
      <Icon
        className={`mt-0.5 size-4 shrink-0 ${ok ? 'text-resolved' : 'text-critical'}`}
        aria-hidden="true"
      />
      <span className="[overflow-wrap:anywhere]">
        <span className="font-medium">{ok ? 'The test arrived.' : 'The test did not arrive.'}</span>{' '}
        {sentence(detail)}
        {code} <span className="text-muted tabular-nums">{stepDuration(took_ms)}</span>
      </span>
    </span>
  );
}
