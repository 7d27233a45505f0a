/** What to paste, how to check it, and what each part is for. */
import type { Integration } from '../../api/types';
import { useBlocked } from '../../components/me';
import { Card } from '../../ui/Card';
import { Code } from '../../ui/Copy';
import { Remark } from '../../ui/Notice';
import { checkCommand, KIND_NAMES, KIND_NOTES, tryCommand } from './kinds';
import { toldToken } from './tokens';

export function Recipe({ integration }: { integration: Integration }) {
  const blocked = useBlocked('admin');
  const told = toldToken(integration.id);
  const check = checkCommand(integration.kind);
  const attempt = tryCommand(integration);
  return (
    <Card title={`Connect ${KIND_NAMES[integration.kind]}`}>
      <p className="mb-3 text-muted text-sm">{KIND_NOTES[integration.kind]}</p>
      {told ? (
        <div className="mb-3">
          <Remark tone="warn">
            The token is in the snippet and is shown only now. Copy it before you leave this page.
          </Remark>
        </div>
      ) : (
        <div className="mb-3">
          <Remark>
            The token was shown once, when it was made. If it is lost,{' '}
            {blocked ? 'an admin can make a new one here' : 'make a new one from the menu above'}; the old one
            works for another 24 hours.
          </Remark>
        </div>
      )}
      <ol className="space-y-4">
        <li>
          <h3 className="mb-1.5 text-[13px] text-muted">1. Paste</h3>
          <Code label={fileOf(integration)} text={told?.snippet ?? integration.snippet} />
        </li>
        {check && (
          <li>
            <h3 className="mb-1.5 text-[13px] text-muted">
              2. Check, then reload {KIND_NAMES[integration.kind]}
            </h3>
            <Code label="shell" text={check} />
          </li>
        )}
        {attempt && (
          <li>
            <h3 className="mb-1.5 text-[13px] text-muted">3. Send a test alert</h3>
            <Code label="shell" text={attempt} />
          </li>
        )}
      </ol>
    </Card>
  );
}

function fileOf({ kind }: Integration): string {
  if (kind === 'prometheus') return 'prometheus.yml';
  return kind === 'alertmanager' ? 'alertmanager.yml' : 'provisioning/alerting/sre-copilot.yaml';
}
