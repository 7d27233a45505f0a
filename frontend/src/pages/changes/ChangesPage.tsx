/** Reported changes, newest first, and how to report them. */
import { useQuery } from '@tanstack/react-query';
import { ExternalLink, GitCommitHorizontal } from 'lucide-react';
import { useMemo } from 'react';
import { q } from '../../api/endpoints';
import type { Change } from '../../api/types';
import { useNow } from '../../components/clock';
import { ErrorState } from '../../components/ErrorState';
import { NotOfNow, useKept } from '../../components/Kept';
import { PageBody, PageHeader, PageTitle } from '../../components/PageHeader';
import { safeUrl } from '../../components/safeUrl';
import { Instant } from '../../components/Time';
import { Card } from '../../ui/Card';
import { Code } from '../../ui/Copy';
import { EmptyState, Skeleton } from '../../ui/Notice';
import { Cell, Row, Table } from '../../ui/Table';

const DAYS = 30;
const DAY_MS = 86_400_000;

export default function ChangesPage() {
  const now = useNow(300_000);
  const span = useMemo(
    () => ({
      from: new Date(now - DAYS * DAY_MS).toISOString(),
      to: new Date(now + DAY_MS).toISOString(),
    }),
    [now],
  );
  const query = useQuery(q.changes(span));
  const { data, ...read } = useKept(query);
  return (
    <>
      <PageHeader title={<PageTitle>Changes</PageTitle>} />
      <PageBody>
        <div className="mx-auto grid grid-cols-1 max-w-5xl gap-4">
          {data && <NotOfNow {...read} />}
          {!data ? (
            query.isError ? (
              <ErrorState error={query.error} onRetry={() => void query.refetch()} />
            ) : (
              <Skeleton rows={4} />
            )
          ) : data.items.length === 0 ? (
            <EmptyState
              icon={<GitCommitHorizontal className="size-5" aria-hidden="true" />}
              title={`No change was reported in ${DAYS} days`}
            >
              Most incidents begin with a change. Let your pipeline report each one, and it appears on the
              page of every incident that starts near it.
            </EmptyState>
          ) : (
            <Card title={`The last ${DAYS} days`} flush>
              <ChangeTable items={data.items} />
            </Card>
          )}
          <Card title="Report a change">
            <p className="mb-3 text-muted text-sm">
              One request at the end of a deploy, with an API key from Settings. Without a timestamp it counts
              as now.
            </p>
            <Code label="shell" text={reportCommand()} />
          </Card>
        </div>
      </PageBody>
    </>
  );
}

function ChangeTable({ items }: { items: readonly Change[] }) {
  return (
    <Table label="Changes" head={['When', 'Service', 'What', 'Kind', { text: 'Link', hidden: true }]}>
      {items.map((change) => {
        const url = safeUrl(change.url);
        return (
          <Row key={change.id}>
            <Cell>
              <Instant at={change.timestamp} />
            </Cell>
            <Cell className="whitespace-nowrap font-medium">{change.service_name}</Cell>
            <Cell className="min-w-52 [overflow-wrap:anywhere]">
              {change.summary}
              {change.version && !change.summary.includes(change.version) && ` (${change.version})`}
            </Cell>
            <Cell className="text-muted">{change.kind}</Cell>
            <Cell right>
              {url && (
                <a
                  href={url}
                  target="_blank"
                  rel="noreferrer noopener"
                  aria-label={`Open ${change.summary}`}
                  className="inline-flex text-link"
                >
                  <ExternalLink className="size-4" aria-hidden="true" />
                </a>
              )}
            </Cell>
          </Row>
        );
      })}
    </Table>
  );
}

function reportCommand(): string {
  return `curl -fsS ${location.origin}/api/v1/changes \\
  -H "Authorization: Bearer $SRE_COPILOT_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"service_name": "checkout-api", "kind": "deploy", "summary": "deploy v2.41.0", "version": "v2.41.0"}'`;
}
