/** Whether the organisation lets a language model be asked, and what that means for its data. */
import { useQuery } from '@tanstack/react-query';
import { actions, useAction } from '../../api/actions';
import { q } from '../../api/endpoints';
import { sentenceOf } from '../../api/errors';
import type { TenantSettings } from '../../api/types';
import { ErrorState } from '../../components/ErrorState';
import { useMe } from '../../components/me';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { FormError } from '../../ui/Field';
import { Skeleton } from '../../ui/Notice';

export function Model() {
  const query = useQuery(q.tenant());
  return (
    <Card title="Language model">
      {query.isPending && <Skeleton rows={2} />}
      {query.isError && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
      {query.data &&
        (query.data.llm_model ? <Choice tenant={query.data} /> : <None off={query.data.llm_off} />)}
    </Card>
  );
}

function None({ off }: { off: string | null }) {
  return (
    <p className="text-muted text-sm">
      {off ? `${off}.` : 'No model is configured on this server.'} Causes are ranked from what is measured,
      and nothing leaves it.
    </p>
  );
}

function Choice({ tenant }: { tenant: TenantSettings }) {
  const { role } = useMe();
  const turn = useAction((llm_enabled: boolean) => actions.changeTenant({ llm_enabled }), ['tenant']);
  const on = tenant.llm_enabled;
  return (
    <div className="max-w-2xl space-y-3 text-sm">
      <p>
        {on
          ? `${tenant.llm_model} at ${tenant.llm_host} is asked about incidents of ${tenant.name}.`
          : `${tenant.llm_model} is not asked about incidents of ${tenant.name}.`}
      </p>
      <p className="text-muted">
        It is sent the measured evidence, names of services, and titles, descriptions and labels of alerts, in
        which what looks like a secret is blacked out. Without it causes are ranked from what is measured
        alone.
      </p>
      <FormError>{turn.error && sentenceOf(turn.error)}</FormError>
      <Button
        pending={turn.isPending}
        blocked={role === 'owner' ? undefined : 'Only an owner can change this.'}
        onClick={() => turn.mutate(!on)}
      >
        {on ? 'Turn off' : 'Turn on'}
      </Button>
    </div>
  );
}
