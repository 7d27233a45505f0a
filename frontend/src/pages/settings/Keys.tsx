/** API keys: what programs sign in with. */
import { useQuery } from '@tanstack/react-query';
import { KeyRound } from 'lucide-react';
import { useState } from 'react';
import { actions, useAction } from '../../api/actions';
import { q } from '../../api/endpoints';
import { sentenceOf } from '../../api/errors';
import type { ApiKey } from '../../api/types';
import { Confirm } from '../../components/Confirm';
import { useMe } from '../../components/me';
import { Instant, TimeAgo } from '../../components/Time';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Cell, Row, Table } from '../../ui/Table';
import { KeyDialog } from './KeyDialog';
import { Listed } from './Section';

export function Keys() {
  const { project } = useMe();
  const query = useQuery(q.apiKeys(project.id));
  const [making, setMaking] = useState(false);
  return (
    <Card
      title={`API keys of ${project.name}`}
      flush
      aside={
        <Button look="primary" size="sm" onClick={() => setMaking(true)}>
          <KeyRound className="size-3.5" aria-hidden="true" /> New key
        </Button>
      }
    >
      <Listed query={query} empty="No program has a key yet.">
        {(items) => (
          <Table
            label="API keys"
            head={['Name', 'Key', 'Role', 'Last used', 'Ends', { text: 'Actions', hidden: true }]}
          >
            {items.map((key) => (
              <KeyRow key={key.id} apiKey={key} />
            ))}
          </Table>
        )}
      </Listed>
      {making && <KeyDialog onClose={() => setMaking(false)} />}
    </Card>
  );
}

function KeyRow({ apiKey }: { apiKey: ApiKey }) {
  const { project } = useMe();
  const [asking, setAsking] = useState(false);
  const revoke = useAction(actions.revokeKey, ['apiKeys']);
  return (
    <Row>
      <Cell className="font-medium">{apiKey.name}</Cell>
      <Cell className="font-mono text-muted text-xs">{apiKey.prefix}…</Cell>
      <Cell>{apiKey.role}</Cell>
      <Cell className="text-muted">
        {apiKey.last_used_at ? <TimeAgo at={apiKey.last_used_at} suffix=" ago" /> : 'never'}
      </Cell>
      <Cell className="text-muted">{apiKey.expires_at ? <Instant at={apiKey.expires_at} /> : 'never'}</Cell>
      <Cell right>
        <Button size="sm" look="ghost" onClick={() => setAsking(true)}>
          Revoke
        </Button>
        {asking && (
          <Confirm
            title={`Revoke ${apiKey.name}?`}
            action="Revoke"
            danger
            pending={revoke.isPending}
            error={revoke.error && sentenceOf(revoke.error)}
            onClose={() => setAsking(false)}
            onConfirm={() =>
              revoke.mutate({ project: project.id, id: apiKey.id }, { onSuccess: () => setAsking(false) })
            }
          >
            Programs that use it are refused at once.
          </Confirm>
        )}
      </Cell>
    </Row>
  );
}
