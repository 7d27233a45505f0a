/** Times to acknowledge and repair, and where the incidents were. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { q, type Span } from '../../api/endpoints';
import { type IncidentAnalytics, SEVERITIES, STATES, type Stat } from '../../api/types';
import { ErrorState } from '../../components/ErrorState';
import { NotOfNow, useKept } from '../../components/Kept';
import { SeverityText } from '../../components/Severity';
import { StateBadge } from '../../components/State';
import { Card } from '../../ui/Card';
import { Skeleton } from '../../ui/Notice';
import { count, exact, significant } from '../../util/numbers';
import { duration } from '../../util/time';
import { type BarRow, Bars } from './Bars';
import { Days } from './Days';
import { Tile } from './Tile';

export function IncidentSection({ span, days }: { span: Span; days: string }) {
  const query = useQuery(q.incidentAnalytics(span, 'day'));
  const { data, ...read } = useKept(query, days);
  if (!data && query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  if (!data) return <Skeleton rows={6} />;
  const within = `from:${span.from.slice(0, 10)}`;
  return (
    <section aria-labelledby="incidents-heading">
      <h2 id="incidents-heading" className="mb-3 font-semibold text-base">
        Incidents
      </h2>
      <NotOfNow {...read} className="-mt-2 mb-3 text-[13px] text-muted" />
      <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
        <Tile
          name="Time to acknowledge"
          value={statValue(data.mtta)}
          note={statNote(data.mtta)}
          filter={within}
        />
        <Tile
          name="Time to repair"
          value={statValue(data.mttr)}
          note={statNote(data.mttr)}
          filter={`is:closed ${within}`}
        />
        <Tile
          name="Incidents"
          value={count(data.incidents)}
          note={`from ${exact(data.alerts)} ${data.alerts === 1 ? 'alert' : 'alerts'}`}
          filter={within}
        />
        <Tile
          name="Alerts per incident"
          value={data.alerts_per_incident === null ? '–' : significant(data.alerts_per_incident, 2)}
          note="the more, the more noise was gathered"
          filter={within}
        />
      </div>
      <Card title="Opened by day and severity" aside="days in UTC" className="mt-4">
        <Days buckets={data.buckets} />
      </Card>
      <div className="mt-4 grid items-start gap-4 lg:grid-cols-3">
        <Card title="By severity">
          <Bars label="Incidents by severity" rows={severityRows(data, within)} />
        </Card>
        <Card title="By service">
          <Bars label="Incidents by service" rows={serviceRows(data, within)} />
        </Card>
        <Card title="By state">
          <Bars label="Incidents by state" rows={stateRows(data, within)} />
        </Card>
      </div>
      {data.incidents === 0 && (
        <p className="mt-3 text-muted text-sm">
          There were no incidents in this time.{' '}
          <Link to="/integrations" className="text-link-inline">
            Is everything connected?
          </Link>
        </p>
      )}
    </section>
  );
}

function statValue(stat: Stat): string {
  return stat.median_s === null ? '–' : duration(stat.median_s * 1000);
}

function statNote(stat: Stat): string {
  if (stat.p90_s === null) return 'none yet';
  return `median; 90% within ${duration(stat.p90_s * 1000)} (n=${stat.count})`;
}

function severityRows(data: IncidentAnalytics, within: string): BarRow[] {
  return SEVERITIES.map((severity) => ({
    key: severity,
    name: <SeverityText severity={severity} />,
    count: data.by_severity[severity],
    filter: `severity:${severity} ${within}`,
  }));
}

function serviceRows(data: IncidentAnalytics, within: string): BarRow[] {
  return data.by_service.slice(0, 8).map(({ service_name, count: n }) => ({
    key: service_name ?? '',
    name: service_name ?? <span className="text-muted">no service</span>,
    count: n,
    filter: service_name
      ? `service:${/[\s,]/.test(service_name) ? `"${service_name}"` : service_name} ${within}`
      : null,
  }));
}

function stateRows(data: IncidentAnalytics, within: string): BarRow[] {
  return STATES.filter((state) => data.by_state[state] > 0).map((state) => ({
    key: state,
    name: <StateBadge state={state} />,
    count: data.by_state[state],
    filter: `state:${state} ${within}`,
  }));
}
