/** Where this server asks the source itself, and whether that works. */
import { CircleCheck, CircleX } from 'lucide-react';
import { useForm } from 'react-hook-form';
import { actions, useAction } from '../../api/actions';
import { sentenceOf } from '../../api/errors';
import type { Integration } from '../../api/types';
import { useBlocked, useMe } from '../../components/me';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { FormError, TextField } from '../../ui/Field';
import { KIND_NAMES, URL_EXAMPLES, URL_HINTS } from './kinds';

type Form = { name: string; url: string };

export function ApiCard({ integration }: { integration: Integration }) {
  const { project } = useMe();
  const blocked = useBlocked('admin');
  const target = { project: project.id, id: integration.id };
  const save = useAction(actions.changeIntegration, ['integration', 'integrations']);
  const test = useAction(actions.testIntegration, []);
  const { register, handleSubmit, formState, reset } = useForm<Form>({
    values: { name: integration.name, url: integration.url ?? '' },
  });
  const submit = handleSubmit((form) =>
    save.mutate(
      { ...target, name: form.name.trim(), url: form.url.trim() || null },
      { onSuccess: () => reset(form) },
    ),
  );
  return (
    <Card title={`The API of ${KIND_NAMES[integration.kind]}`}>
      <form onSubmit={submit} className="space-y-3" noValidate>
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
        <FormError>{save.error && sentenceOf(save.error)}</FormError>
        <div className="flex flex-wrap items-center gap-2">
          {formState.isDirty && (
            <Button type="submit" look="primary" pending={save.isPending} blocked={blocked}>
              Save
            </Button>
          )}
          <Button
            pending={test.isPending}
            blocked={blocked ?? (integration.url ? undefined : 'Set an address first.')}
            onClick={() => test.mutate(target)}
          >
            Test
          </Button>
          <span aria-live="polite" className="min-w-0 text-sm">
            {test.data && (
              <span className="inline-flex items-start gap-1.5">
                {test.data.ok ? (
                  <CircleCheck className="mt-0.5 size-4 shrink-0 text-resolved" aria-hidden="true" />
                ) : (
                  <CircleX className="mt-0.5 size-4 shrink-0 text-critical" aria-hidden="true" />
                )}
                <span className="[overflow-wrap:anywhere]">
                  {test.data.detail}{' '}
                  <span className="text-muted tabular-nums">{test.data.latency_ms} ms</span>
                </span>
              </span>
            )}
            {test.error && <span className="text-critical">{sentenceOf(test.error)}</span>}
          </span>
        </div>
      </form>
    </Card>
  );
}
