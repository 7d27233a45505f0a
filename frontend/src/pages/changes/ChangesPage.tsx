/** Reported changes, newest first, and how to report them. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { ExternalLink, GitCommitHorizontal } from 'lucide-react';
import { useState } from 'react';
import { q } from '../../api/endpoints';
import type { Change } from '../../api/types';
import { ErrorState } from '../../components/ErrorState';
import { NotOfNow, useKept } from '../../components/Kept';
import { Older } from '../../components/Older';
import { PageBody, PageHeader, PageTitle } from '../../components/PageHeader';
import { safeUrl } from '../../components/safeUrl';
import { Instant } from '../../components/Time';
import { Card } from '../../ui/Card';
import { Code } from '../../ui/Copy';
import { EmptyState, Skeleton } from '../../ui/Notice';
import { Cell, Row, Table } from '../../ui/Table';
import { exact } from '../../util/numbers';

const DAYS = 30;
const DAY_MS = 86_400_000;

export default function ChangesPage() {
  // Counted from when the page was opened, so that what was loaded of the past stays.
  const [span] = useState(lastDays);
  const query = useInfiniteQuery(q.changePages(span));
  const { data, ...read } = useKept(query);
  const items = data?.pages.flatMap((page) => page.items) ?? [];
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
          ) : items.length === 0 ? (
            <EmptyState
              icon={<GitCommitHorizontal className="size-5" aria-hidden="true" />}
              title={`No change was reported in ${DAYS} days`}
            >
              Most incidents begin with a change. Let your pipeline report each one, and it appears on the
              page of every incident that starts near it.
            </EmptyState>
          ) : (
            <Card title={`The last ${DAYS} days`} flush>
              <ChangeTable items={items} />
              <Older query={query}>
                {query.hasNextPage && <span>The latest {exact(items.length)}</span>}
              </Older>
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

function lastDays() {
  const now = Date.now();
  return {
    from: new Date(now - DAYS * DAY_MS).toISOString(),
    to: new Date(now + DAY_MS).toISOString(),
  };
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
