/** Invitations that nobody has accepted yet. */
import { useQuery } from '@tanstack/react-query';
import { actions, useAction } from '../../api/actions';
import { q } from '../../api/endpoints';
import { sentenceOf } from '../../api/errors';
import { Instant } from '../../components/Time';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Cell, Row, Table } from '../../ui/Table';
import { toast } from '../../ui/Toast';
import { Listed } from './Section';

export function Invitations() {
  const query = useQuery(q.invitations());
  const withdraw = useAction(actions.withdrawInvitation, ['invitations']);
  if (query.data?.items.length === 0) return null;
  return (
    <Card title="Invited" flush>
      <Listed query={query} empty="Nobody is invited.">
        {(items) => (
          <Table label="Invitations" head={['E-mail', 'Role', 'Ends', { text: 'Actions', hidden: true }]}>
            {items.map((one) => (
              <Row key={one.id}>
                <Cell>{one.email}</Cell>
                <Cell>{one.role}</Cell>
                <Cell className="text-muted">
                  <Instant at={one.expires_at} />
                </Cell>
                <Cell right>
                  <Button
                    size="sm"
                    look="ghost"
                    pending={withdraw.isPending && withdraw.variables === one.id}
                    onClick={() =>
                      withdraw.mutate(one.id, {
                        onError: (error) => toast({ title: sentenceOf(error), tone: 'bad' }),
                      })
                    }
                  >
                    Withdraw
                  </Button>
                </Cell>
              </Row>
            ))}
          </Table>
        )}
      </Listed>
    </Card>
  );
}
