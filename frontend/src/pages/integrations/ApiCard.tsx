/** Where this server asks the source itself, and whether that works. */
import { CircleCheck, CircleX } from 'lucide-react';
import { useForm } from 'react-hook-form';
import { actions, useAction } from '../../api/actions';
import { sentenceOf } from '../../api/errors';
import type { Integration, TestResult } from '../../api/types';
import { LeaveGuard } from '../../components/LeaveGuard';
import { useBlocked, useMe } from '../../components/me';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { FormError, TextField } from '../../ui/Field';
import { stepDuration } from '../../util/time';
import { KIND_NAMES, URL_EXAMPLES, URL_HINTS } from './kinds';

type Form = { name: string; url: string };

export function ApiCard({ integration }: { integration: Integration }) {
  const { project } = useMe();
  const blocked = useBlocked('admin');
  const target = { project: project.id, id: integration.id };
  const save = useAction(actions.changeIntegration, ['integration', 'integrations']);
  const test = useAction(actions.testIntegration, []);
  const { register, handleSubmit, formState, reset, watch } = useForm<Form>({
    values: { name: integration.name, url: integration.url ?? '' },
  });
  const store = (form: Form, then?: () => void) => {
    test.reset();
    save.mutate(
      { ...target, name: form.name.trim(), url: form.url.trim() || null },
      {
        onSuccess: () => {
          reset(form);
          then?.();
        },
      },
    );
  };
  /** What is tested is what is typed, so that is saved first. */
  const tryOut = handleSubmit((form) => {
    if (formState.isDirty) store(form, () => test.mutate(target));
    else test.mutate(target);
  });
  return (
    <Card title={`The API of ${KIND_NAMES[integration.kind]}`}>
      <form onSubmit={handleSubmit((form) => store(form))} className="space-y-3" noValidate>
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField label="Name" {...register('name')} />
          <TextField
            label="Address"
            type="url"
            placeholder={URL_EXAMPLES[integration.kind]}
            hint={URL_HINTS[integration.kind]}
            error={formState.errors.url?.message}
            {...register('url', {
              validate: (url) =>
                url.trim() === '' || /^https?:\/\/\S+$/.test(url.trim()) || 'Use an http or https address.',
            })}
          />
        </div>
        <LeaveGuard when={formState.isDirty}>
          What you typed about the API of this source is not saved yet.
        </LeaveGuard>
        <FormError>{save.error && sentenceOf(save.error)}</FormError>
        <div className="flex flex-wrap items-center gap-2">
          {formState.isDirty && (
            <Button type="submit" look="primary" pending={save.isPending} blocked={blocked}>
              Save
            </Button>
          )}
          <Button
            pending={test.isPending}
            blocked={blocked ?? (watch('url').trim() ? undefined : 'Set an address first.')}
            onClick={() => void tryOut()}
          >
            {formState.isDirty ? 'Save and test' : 'Test'}
          </Button>
          <span aria-live="polite" className="min-w-0 text-sm">
            {test.data && <Found result={test.data} />}
            {test.error && <span className="text-critical">{sentenceOf(test.error)}</span>}
          </span>
        </div>
      </form>
    </Card>
  );
}

function Found({ result }: { result: TestResult }) {
  return (
    <span className="inline-flex items-start gap-1.5">
      {result.ok ? (
        <CircleCheck className="mt-0.5 size-4 shrink-0 text-resolved" aria-hidden="true" />
      ) : (
        <CircleX className="mt-0.5 size-4 shrink-0 text-critical" aria-hidden="true" />
      )}
      <span className="[overflow-wrap:anywhere]">
        {result.detail} <span className="text-muted tabular-nums">{stepDuration(result.latency_ms)}</span>
      </span>
    </span>
  );
}
