/** What the analyses used, cost, and how often people called them right. */
import { useQuery } from '@tanstack/react-query';
import { q, type Span } from '../../api/endpoints';
import type { AiAnalytics } from '../../api/types';
import { ErrorState } from '../../components/ErrorState';
import { NotOfNow, useKept } from '../../components/Kept';
import { Card } from '../../ui/Card';
import { Skeleton } from '../../ui/Notice';
import { Cell, Row, Table } from '../../ui/Table';
import { count, counted, exact, money, percent } from '../../util/numbers';
import { day as dayName, ms } from '../../util/time';
import { confidenceRange } from './calibration';
import { Tile } from './Tile';

export function AiSection({ span, days }: { span: Span; days: string }) {
  const query = useQuery(q.aiAnalytics(span));
  const { data, ...read } = useKept(query, days);
  if (!data && query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  if (!data) return <Skeleton rows={6} />;
  const { accepted, rejected, uncertain } = data.feedback;
  const { completed, inconclusive, failed } = data.analyses;
  const tokens = data.totals.prompt_tokens + data.totals.completion_tokens;
  return (
    <section aria-labelledby="ai-heading">
      <h2 id="ai-heading" className="mb-3 font-semibold text-base">
        Analyses
      </h2>
      <NotOfNow {...read} className="-mt-2 mb-3 text-[13px] text-muted" />
      <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
        <Tile
          name="Analyses"
          value={count(completed + inconclusive + failed)}
          note={`${inconclusive} without enough evidence, ${failed} failed`}
        />
        <Tile
          name="Theories called right"
          value={accepted + rejected === 0 ? '–' : percent(accepted / (accepted + rejected))}
          note={`${accepted} right, ${rejected} wrong, ${uncertain} unsure`}
        />
        <Tile
          name="Model cost"
          value={data.totals.cost_usd === null ? 'unknown' : money(data.totals.cost_usd)}
          note={data.model ?? 'no model is configured'}
        />
        <Tile
          name="Tokens"
          value={count(tokens)}
          note={`${count(data.totals.requests)} requests, ${count(data.totals.cache_hits)} from the cache`}
        />
      </div>
      <div className="mt-4 grid items-start gap-4 lg:grid-cols-2">
        <Budget data={data} />
        <Calibration data={data} />
      </div>
      {data.days.length > 0 && (
        <Card title="Model use by day" className="mt-4" flush>
          <DayTable data={data} />
        </Card>
      )}
    </section>
  );
}

function Budget({ data }: { data: AiAnalytics }) {
  const { daily_usd, used_today_usd } = data.budget;
  const share = daily_usd > 0 ? Math.min(1, used_today_usd / daily_usd) : 0;
  return (
    <Card title="Budget today">
      {daily_usd === 0 ? (
        <p className="text-muted text-sm">The budget is 0, so no model is called.</p>
      ) : (
        <>
          <p className="text-sm tabular-nums">
            <b className="font-semibold">{money(used_today_usd)}</b> of {money(daily_usd)}
          </p>
          <div aria-hidden="true" className="mt-2 h-2 overflow-hidden rounded-full bg-hover">
            <div
              className={share >= 1 ? 'h-full bg-high' : 'h-full bg-primary'}
              style={{ width: `${Math.max(share * 100, share > 0 ? 1 : 0)}%` }}
            />
          </div>
          <p className="mt-2 text-[13px] text-muted">
            When it is used up, incidents still get their facts and the statistical analysis.
          </p>
        </>
      )}
      <Lost {...data.totals} />
    </Card>
  );
}

/** The calls that brought nothing, as far as the server tells: not how many answers it set aside. */
function Lost({ failed, orphaned }: AiAnalytics['totals']) {
  if (failed === 0 && orphaned === 0) return null;
  return (
    <p className="mt-2 text-[13px] text-muted">
      {failed > 0 && `${counted(failed, 'call')} failed. `}
      {orphaned > 0 && `How ${counted(orphaned, 'call')} ended is not known; the most is counted for each.`}
    </p>
  );
}

function Calibration({ data }: { data: AiAnalytics }) {
  const rows = data.calibration.filter((bin) => bin.count > 0);
  return (
    <Card title="Is the confidence honest?" flush={rows.length > 0}>
      {rows.length === 0 ? (
        <p className="text-muted text-sm">
          Nobody has called a theory right or wrong in this time. The buttons are under each theory.
        </p>
      ) : (
        <Table
          label="Confidence against outcome"
          head={[
            'Confidence',
            { text: 'Judged', right: true },
            { text: 'Right', right: true },
            { text: 'Share', right: true },
          ]}
        >
          {rows.map((bin) => (
            <Row key={bin.from}>
              <Cell>{confidenceRange(bin)}</Cell>
              <Cell right>{bin.count}</Cell>
              <Cell right>{bin.accepted}</Cell>
              <Cell right>{percent(bin.accepted / bin.count)}</Cell>
            </Row>
          ))}
        </Table>
      )}
    </Card>
  );
}

function DayTable({ data }: { data: AiAnalytics }) {
  const right = (text: string) => ({ text, right: true });
  return (
    <Table
      label="Model use by day"
      head={['Day', 'Model', right('Requests'), right('Tokens in'), right('Tokens out'), right('Cost')]}
    >
      {[...data.days].reverse().map((one) => (
        <Row key={one.day + one.model}>
          <Cell className="whitespace-nowrap tabular-nums">{dayName(ms(one.day), 'utc')}</Cell>
          <Cell>{one.model}</Cell>
          <Cell right>{exact(one.requests)}</Cell>
          <Cell right>{exact(one.prompt_tokens)}</Cell>
          <Cell right>{exact(one.completion_tokens)}</Cell>
          <Cell right>{one.cost_usd === null ? 'unknown' : money(one.cost_usd)}</Cell>
        </Row>
      ))}
    </Table>
  );
}
