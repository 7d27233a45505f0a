/** Where the reader is signed in, and ending it elsewhere. */
import { useQuery } from '@tanstack/react-query';
import { actions, useAction } from '../../api/actions';
import { q } from '../../api/endpoints';
import { sentenceOf } from '../../api/errors';
import { Instant, TimeAgo } from '../../components/Time';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Cell, Row, Table } from '../../ui/Table';
import { toast } from '../../ui/Toast';
import { browserName } from './browserName';
import { Listed } from './Section';

export function Sessions() {
  const query = useQuery(q.sessions());
  const end = useAction(actions.endSession, ['sessions']);
  return (
    <Card title="Where you are signed in" flush>
      <Listed query={query} empty="No session.">
        {(items) => (
          <Table
            label="Sessions"
            head={['Browser', 'From', 'Last used', 'Ends', { text: 'Actions', hidden: true }]}
          >
            {items.map((one) => (
              <Row key={one.id}>
                <Cell className="font-medium">
                  <span title={one.user_agent}>{browserName(one.user_agent)}</span>
                </Cell>
                <Cell className="font-mono text-xs">{one.remote}</Cell>
                <Cell className="text-muted">
                  {one.current ? 'this one' : <TimeAgo at={one.last_used_at} suffix=" ago" />}
                </Cell>
                <Cell className="text-muted">
                  <Instant at={one.expires_at} />
                </Cell>
                <Cell right>
                  {!one.current && (
                    <Button
                      size="sm"
                      look="ghost"
                      pending={end.isPending && end.variables === one.id}
                      onClick={() =>
                        end.mutate(one.id, {
                          onError: (error) => toast({ title: sentenceOf(error), tone: 'bad' }),
                        })
                      }
                    >
                      End
                    </Button>
                  )}
                </Cell>
              </Row>
            ))}
          </Table>
        )}
      </Listed>
    </Card>
  );
}
