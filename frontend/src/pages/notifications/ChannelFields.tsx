/** The fields of a channel, alike when it is made and when it is changed. */
import { Controller, type UseFormReturn } from 'react-hook-form';
import { fieldError } from '../../api/errors';
import { SEVERITIES, TELLS, type Tell } from '../../api/types';
import { CheckField, SelectField, TextField } from '../../ui/Field';
import { type ChannelForm, keyProblem, tellsProblem, urlProblem } from './form';
import { andWorse, KIND_NAMES, TELLS_NAMES, URL_EXAMPLES, URL_LABELS } from './kinds';

type Props = {
  form: UseFormReturn<ChannelForm>;
  /** Why the server refused them. */
  refused: unknown;
  /** Where it sends to now, when there is a channel already: then an empty field keeps that. */
  address?: string;
};

export function ChannelFields({ form, refused, address }: Props) {
  const { register, watch, formState } = form;
  const kind = watch('kind');
  return (
    <>
      <TextField
        label="Name"
        placeholder={kind === 'slack' ? '#ops on Slack' : KIND_NAMES[kind]}
        maxLength={100}
        error={formState.errors.name?.message ?? fieldError(refused, 'name')}
        {...register('name', {
          validate: (name) => address === undefined || name.trim() !== '' || 'A name is needed.',
        })}
      />
      <Secrets form={form} refused={refused} address={address} />
      <SelectField label="Severity" {...register('min_severity')}>
        {SEVERITIES.map((severity) => (
          <option key={severity} value={severity}>
            {andWorse(severity)}
          </option>
        ))}
      </SelectField>
      <TextField
        label="Services (optional)"
        placeholder="checkout-api, payments"
        hint="With commas between them. Without one, it is told of every service."
        error={fieldError(refused, 'services')}
        {...register('services')}
      />
      <Told form={form} refused={refused} />
    </>
  );
}

/** The address or key, which is a secret: it is written and never shown again. */
function Secrets({ form, refused, address }: Props & { address: string | undefined }) {
  const { register, watch, formState } = form;
  const kind = watch('kind');
  const kept = address !== undefined;
  const now = kept ? `Now ${address}. Leave it empty to keep that.` : undefined;
  return (
    <>
      {kind === 'pagerduty' && (
        <TextField
          label={kept ? 'New integration key' : 'Integration key'}
          autoComplete="off"
          spellCheck={false}
          className="font-mono"
          hint={now ?? '32 letters and digits'}
          error={formState.errors.routing_key?.message ?? fieldError(refused, 'routing_key')}
          {...register('routing_key', {
            shouldUnregister: true,
            validate: (key = '') => keyProblem(key, !kept) ?? true,
          })}
        />
      )}
      <TextField
        label={kept && kind !== 'pagerduty' ? `New ${lowered(URL_LABELS[kind])}` : URL_LABELS[kind]}
        type="url"
        autoComplete="off"
        placeholder={URL_EXAMPLES[kind]}
        hint={kind === 'pagerduty' ? 'Only for the EU, or a proxy of yours.' : now}
        error={formState.errors.url?.message ?? fieldError(refused, 'url')}
        {...register('url', {
          validate: (url) => urlProblem(url, !kept && kind !== 'pagerduty') ?? true,
        })}
      />
    </>
  );
}

function Told({ form, refused }: Props) {
  const { control, register, watch, formState } = form;
  const faults = watch('critical_faults');
  const said = formState.errors.tells?.message ?? fieldError(refused, 'tells');
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1 font-medium text-[13px]">It is told when</legend>
      <Controller
        name="tells"
        control={control}
        rules={{ validate: (tells) => tellsProblem(tells, faults) ?? true }}
        render={({ field: { value, onChange } }) => (
          <div className="grid gap-x-4 sm:grid-cols-2">
            {TELLS.map((one) => (
              <CheckField
                key={one}
                label={TELLS_NAMES[one]}
                checked={value.includes(one)}
                onChange={() => onChange(toggled(value, one))}
              />
            ))}
          </div>
        )}
      />
      {said && (
        <p role="alert" className="mt-1 text-[13px] text-critical">
          {said}
        </p>
      )}
      <CheckField
        className="mt-2"
        label="This server itself is in trouble"
        hint="Such as a database that it can’t reach, whatever the severity and services above."
        {...register('critical_faults')}
      />
    </fieldset>
  );
}

function toggled(list: readonly Tell[], one: Tell): Tell[] {
  return TELLS.filter((other) => list.includes(other) !== (other === one));
}

function lowered(label: string): string {
  return label.charAt(0).toLowerCase() + label.slice(1);
}
