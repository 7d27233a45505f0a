/** How incidents went, and what the analyses cost and were worth. Every number leads to its incidents. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Span } from '../../api/endpoints';
import { useNow } from '../../components/clock';
import { PageBody, PageHeader, PageTitle } from '../../components/PageHeader';
import { Segmented } from '../../ui/Segmented';
import { AiSection } from './AiSection';
import { IncidentSection } from './IncidentSection';

const DAY_MS = 86_400_000;
const CHOICES = ['7', '14', '30', '90'] as const;

export default function AnalyticsPage() {
  const search = useSearch({ from: '/app/analytics' });
  const days = CHOICES.find((one) => one === search.days) ?? '14';
  const navigate = useNavigate();
  const now = useNow(300_000);
  const span: Span = useMemo(
    () => ({
      from: new Date(startOfDay(now - (Number(days) - 1) * DAY_MS)).toISOString(),
      to: new Date(now + 300_000).toISOString(),
    }),
    [now, days],
  );
  const choice = (
    <Segmented
      label="Time span"
      value={days}
      options={CHOICES.map((value) => ({ value, label: `${value} d` }))}
      onChange={(next) => void navigate({ to: '/analytics', search: { days: next }, replace: true })}
    />
  );
  return (
    <>
      <PageHeader title={<PageTitle>Analytics</PageTitle>}>
        <span className="max-md:hidden">{choice}</span>
      </PageHeader>
      <PageBody>
        <div className="mx-auto grid grid-cols-1 max-w-6xl gap-8">
          <div className="-mb-4 md:hidden">{choice}</div>
          <IncidentSection span={span} days={days} />
          <AiSection span={span} days={days} />
        </div>
      </PageBody>
    </>
  );
}

function startOfDay(at: number): number {
  return Math.floor(at / DAY_MS) * DAY_MS;
}
