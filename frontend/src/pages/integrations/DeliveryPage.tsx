/** The receipt of one request: what came in, byte for byte, and what became of each alert. */
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { ChevronLeft, RotateCw } from 'lucide-react';
import type { ReactNode } from 'react';
import { actions, useAction } from '../../api/actions';
import { q } from '../../api/endpoints';
import { sentenceOf } from '../../api/errors';
import type { DeliveryDetail, DeliveryResult, Outcome } from '../../api/types';
import { ErrorState } from '../../components/ErrorState';
import { NotOfNow } from '../../components/Kept';
import { useBlocked, useMe } from '../../components/me';
import { PageBody, PageHeader, PageTitle } from '../../components/PageHeader';
import { Instant } from '../../components/Time';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Remark, Skeleton } from '../../ui/Notice';
import { Cell, Row, Table } from '../../ui/Table';
import { toast } from '../../ui/Toast';
import { sentence, words } from '../../util/sentence';
import { Body } from './Body';
import { outcomeText } from './DeliveryTable';
import { refusal } from './refusal';

export default function DeliveryPage() {
  const { id } = useParams({ from: '/app/deliveries/$id' });
  const { project } = useMe();
  const query = useQuery(q.delivery(project.id, id));
  return (
    <>
      <PageHeader
        title={
          <>
            <Link
              to="/integrations"
              className="flex h-8 items-center gap-1 rounded-md pr-2 text-[13px] text-muted hover:text-text"
            >
              <ChevronLeft className="size-4" aria-hidden="true" />
              <span className="max-md:sr-only">Integrations</span>
            </Link>
            <PageTitle>Delivery</PageTitle>
          </>
        }
      >
        {query.data && <Replay delivery={query.data} />}
      </PageHeader>
      <PageBody>
        {query.data ? (
          <div className="mx-auto grid grid-cols-1 max-w-5xl gap-4">
            <NotOfNow error={query.error} readAt={query.dataUpdatedAt} />
            <Receipt delivery={query.data} />
          </div>
        ) : query.isError ? (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <Skeleton rows={6} />
        )}
      </PageBody>
    </>
  );
}

function Receipt({ delivery }: { delivery: DeliveryDetail }) {
  return (
    <>
      <dl className="flex flex-wrap gap-x-6 gap-y-1 text-sm">
        <Fact name="Received">
          <Instant at={delivery.received_at} />
        </Fact>
        <Fact name="From">
          {delivery.remote}, {delivery.user_agent || 'no user agent'}
        </Fact>
        <Fact name="Integration">{delivery.integration_name}</Fact>
        <Fact name="Format">{delivery.format ?? 'not recognised'}</Fact>
        <Fact name="Answer">{delivery.http_status}</Fact>
        {delivery.flags.length > 0 && <Fact name="Odd">{delivery.flags.map(words).join(', ')}</Fact>}
      </dl>
      {delivery.reason && <Remark tone="bad">{why(delivery.reason)}</Remark>}
      {delivery.replay_of && (
        <Remark>
          A replay of{' '}
          <Link to="/deliveries/$id" params={{ id: delivery.replay_of }} className="text-link-inline">
            an earlier delivery
          </Link>
          .
        </Remark>
      )}
      {delivery.results.length > 0 && (
        <Card title="Alerts" aside={outcomeText(delivery)} flush>
          <Table label="Alerts of the delivery" head={['Alert', 'Became', 'Why', 'Fingerprint', 'Incident']}>
            {delivery.results.map((one) => (
              <Result key={one.index} result={one} />
            ))}
          </Table>
        </Card>
      )}
      <Body body={delivery.body} />
    </>
  );
}

function why(reason: string): string {
  const { code, told } = refusal(reason);
  return told ? `${sentence(code)}: ${told}` : sentence(code);
}

const INK: Partial<Record<Outcome, string>> = {
  opened: 'font-medium',
  resolved: 'text-resolved',
  quarantined: 'font-medium text-critical',
  suppressed: 'text-muted',
};

function Result({ result }: { result: DeliveryResult }) {
  return (
    <Row>
      <Cell className="font-medium">{result.name ?? 'unnamed'}</Cell>
      <Cell className={INK[result.outcome]}>{result.outcome}</Cell>
      <Cell className="text-muted">{result.reason ? words(result.reason) : '–'}</Cell>
      <Cell className="font-mono text-muted text-xs">{result.fingerprint ?? '–'}</Cell>
      <Cell>
        {result.incident_id ? (
          <Link to="/incidents/$ref" params={{ ref: result.incident_id }} className="text-link-inline">
            Open
          </Link>
        ) : (
          '–'
        )}
      </Cell>
    </Row>
  );
}

function Replay({ delivery }: { delivery: DeliveryDetail }) {
  const { project } = useMe();
  const navigate = useNavigate();
  const notOurs = delivery.http_status === 401 || delivery.http_status === 403;
  const replay = useAction(actions.replay, ['deliveries', 'incidents']);
  const blocked =
    useBlocked('admin') ?? (notOurs ? 'Its token was refused, so it is not known to be yours.' : undefined);
  return (
    <Button
      pending={replay.isPending}
      blocked={blocked}
      onClick={() =>
        replay.mutate(
          { project: project.id, id: delivery.id },
          {
            onSuccess: (made) => {
              toast({ title: 'Replayed', description: outcomeText(made) });
              void navigate({ to: '/deliveries/$id', params: { id: made.id } });
            },
            onError: (error) => toast({ title: sentenceOf(error), tone: 'bad' }),
          },
        )
      }
    >
      <RotateCw className="size-3.5" aria-hidden="true" /> Replay
    </Button>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex items-baseline gap-1.5">
      <dt className="text-[13px] text-muted">{name}</dt>
      <dd className="[overflow-wrap:anywhere]">{children}</dd>
    </div>
  );
}
