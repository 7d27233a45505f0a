/** Every security-relevant act, newest first. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { q } from '../../api/endpoints';
import { ErrorState } from '../../components/ErrorState';
import { NotOfNow, useKept } from '../../components/Kept';
import { Instant } from '../../components/Time';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Skeleton } from '../../ui/Notice';
import { Cell, Row, Table } from '../../ui/Table';
import { actorOf, targetOf, useNames } from './auditNames';

export function Audit() {
  const query = useInfiniteQuery(q.audit());
  const names = useNames();
  const { data, ...read } = useKept(query);
  const entries = (data?.pages ?? []).flatMap((page) => page.items);
  return (
    <Card title="Audit log" flush>
      {data && <NotOfNow {...read} className="px-4 pb-2 text-[13px] text-muted" />}
      {!data ? (
        query.isError ? (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <Skeleton rows={4} className="p-4" />
        )
      ) : entries.length === 0 ? (
        <p className="px-4 pb-4 text-muted text-sm">Nothing has been recorded yet.</p>
      ) : (
        <>
          <Table label="Audit log" head={['When', 'Who', 'What', 'About', 'Result', 'From']}>
            {entries.map((entry) => (
              <Row key={entry.id}>
                <Cell>
                  <Instant at={entry.created_at} />
                </Cell>
                <Cell className="whitespace-nowrap">
                  <span title={entry.actor_id}>{actorOf(entry, names)}</span>
                </Cell>
                <Cell className="font-mono text-xs">{entry.action}</Cell>
                <Cell className="min-w-52 [overflow-wrap:anywhere]">
                  <span title={entry.object}>{targetOf(entry, names)}</span>
                </Cell>
                <Cell className={entry.result === 'ok' ? 'text-muted' : 'font-medium text-critical'}>
                  {entry.result}
                </Cell>
                <Cell className="whitespace-nowrap font-mono text-muted text-xs">{entry.remote}</Cell>
              </Row>
            ))}
          </Table>
          {query.hasNextPage && (
            <div className="flex justify-center py-3">
              <Button pending={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                Older entries
              </Button>
            </div>
          )}
        </>
      )}
    </Card>
  );
}
