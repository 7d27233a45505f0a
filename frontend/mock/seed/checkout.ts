/** The incident in the shop window: a deploy that exhausted a connection pool. */

import type { Evidence, Hypothesis, Incident } from '../../src/api/types';
import type { Db } from '../db';
import { addStep } from '../db';
import { uuid } from '../ids';
import { addEarlier } from './earlier';
import { addAlerts, MINUTE } from './incident';
import { stepped } from './series';

export function fillCheckout(db: Db, incident: Incident, now: number): void {
  const start = Date.parse(incident.detected_at);
  const deploy = start - 221_000;
  db.changes.push(
    change('checkout-api', 'deploy v2.41.0 by ana', 'deploy', 'v2.41.0', deploy),
    change('payments', 'pool_size 50 → 20', 'config', null, start - 52 * MINUTE),
  );
  addAlerts(db, incident, [
    'checkout-api answers 14% of requests with a 5xx (limit 1%).',
    'Pod checkout-api-7d9f4-k1 restarted twice in 5 minutes.',
    'p99 latency of POST /orders is 4.1 s.',
  ]);
  const evidence = evidenceOf(now, start, deploy);
  db.evidence.set(incident.id, evidence.all);
  const analysis = uuid();
  const theory = (
    rank: number,
    score: number,
    claim: string,
    description: string,
    supporting: string[],
    contradicting: string[],
    next: string[],
  ): Hypothesis => ({
    id: uuid(),
    incident_id: incident.id,
    analysis_id: analysis,
    rank,
    claim,
    description,
    confidence_score: score,
    confidence_lower: Math.max(0, score - 0.14),
    confidence_upper: Math.min(1, score + 0.09),
    suspected_service: 'checkout-api',
    suspected_metric: 'db_pool_wait_seconds',
    supporting_evidence: supporting,
    contradicting_evidence: contradicting,
    next_checks: next,
    engine: 'statistical',
    feedback: null,
    created_at: new Date(start + 6000).toISOString(),
  });
  db.hypotheses.set(incident.id, {
    analysis: {
      id: analysis,
      version: 1,
      status: 'completed',
      engine: 'statistical',
      model: null,
      started_at: new Date(start + 3000).toISOString(),
      completed_at: new Date(start + 5900).toISOString(),
      reason: null,
      checked: [
        '34 series of checkout-api, payments and orders-db, compared with the hour before',
        '2 changes in the 60 minutes before the start',
        '3 other alerts firing within 15 minutes',
        'Not looked at: logs and traces, because no source for them is connected',
      ],
      tokens: null,
      cost_usd: null,
      cost_estimated: false,
      onset_at: new Date(start - 30_000).toISOString(),
      changed: null,
    },
    items: [
      theory(
        1,
        0.84,
        'Deploy v2.41.0 exhausted the connection pool of checkout-api.',
        'Waiting for a pooled connection began to rise 41 s after the rollout and precedes the errors; the database itself is not busier than before.',
        [evidence.errors.id, evidence.pool.id, evidence.deploy.id],
        [evidence.cpu.id],
        [
          'kubectl -n shop rollout undo deploy/checkout-api',
          'Compare the pool settings of v2.40.3 and v2.41.0',
        ],
      ),
      theory(
        2,
        0.46,
        'payments answers slower since its pool was cut from 50 to 20.',
        'Its p99 rose, but ten minutes after the errors began.',
        [evidence.payments.id],
        [evidence.cpu.id],
        ['Look at the queue length of payments'],
      ),
      theory(
        3,
        0.18,
        'More traffic than usual on POST /orders.',
        'Requests are 8% above the hour before.',
        [evidence.traffic.id],
        [],
        [],
      ),
    ],
  });
  addEarlier(db, incident.id);
  const s = (
    type: string,
    after: number,
    detail = {},
    actor: string | null = null,
    took: number | null = null,
  ) => addStep(incident.id, type, detail, actor, start + after, took);
  s('alert_received', 0, { name: 'HighErrorRate' }, incident.source, 4);
  s('incident_created', 4, {}, null, 12);
  s('evidence_collected', 3000, { evidence: evidence.all.length }, null, 2210);
  s('hypotheses_generated', 5210, { count: 3 }, null, 690);
  s('alert_received', 41_000, { name: 'PodRestarts' }, incident.source, 3);
  s('alert_received', 58_000, { name: 'HighLatency' }, incident.source, 3);
  s('comment_added', 171_000, { body: 'Looking at the pool. The rollout finished just before.' }, 'Ana Ruiz');
}

function evidenceOf(now: number, start: number, deploy: number) {
  const make = (part: Partial<Evidence> & Pick<Evidence, 'summary'>): Evidence => ({
    id: uuid(),
    kind: 'metric',
    query: null,
    start: new Date(start - 60 * MINUTE).toISOString(),
    end: new Date(now).toISOString(),
    value: null,
    baseline: null,
    score: null,
    unit: null,
    role: 'candidate',
    series: null,
    threshold: null,
    url: 'http://prometheus.shop.example:9090/graph?g0.expr=up',
    ...part,
  });
  const errors = make({
    summary: '5xx ratio of checkout-api rose from 0.2% to 14% at the start',
    query:
      'sum(rate(http_requests_total{service="checkout-api",code=~"5.."}[2m]))\n  / sum(rate(http_requests_total{service="checkout-api"}[2m]))',
    value: 0.14,
    baseline: 0.002,
    unit: 'ratio',
    role: 'symptom',
    threshold: 0.01,
    series: [stepped(now, start - 60_000, 0.002, 0.14, { service: 'checkout-api' })],
  });
  const pool = make({
    summary: 'Waiting for a database connection went from 2 ms to 1.9 s, 41 s after the rollout',
    query: 'histogram_quantile(0.99, sum by (le, version) (rate(db_pool_wait_seconds_bucket[2m])))',
    value: 1.9,
    baseline: 0.002,
    unit: 's',
    series: [
      stepped(now, deploy + 41_000, 0.002, 1.9, { version: 'v2.41.0' }, 3),
      stepped(now, now + 1, 0.002, 0.002, { version: 'v2.40.3' }, 4),
    ],
  });
  const deployed = make({
    kind: 'change',
    summary: 'deploy v2.41.0 of checkout-api, 3m 41s before the start',
    url: null,
    start: null,
    end: null,
  });
  const cpu = make({
    summary: 'CPU of orders-db is flat, 34% to 36%',
    query: 'avg(rate(node_cpu_seconds_total{host="orders-db",mode!="idle"}[2m]))',
    value: 0.36,
    baseline: 0.34,
    unit: 'ratio',
    series: [stepped(now, now + 1, 0.35, 0.35, { host: 'orders-db' }, 5)],
  });
  const payments = make({
    summary: 'p99 of payments rose from 310 ms to 820 ms',
    query:
      'histogram_quantile(0.99, sum by (le) (rate(http_request_seconds_bucket{service="payments"}[2m])))',
    value: 0.82,
    baseline: 0.31,
    unit: 's',
    series: [stepped(now, start + 600_000, 0.31, 0.82, { service: 'payments' }, 6)],
  });
  const traffic = make({
    summary: 'Requests to POST /orders are 8% above the hour before',
    query: 'sum(rate(http_requests_total{route="/orders"}[2m]))',
    value: 412,
    baseline: 381,
    unit: 'req/s',
    series: [stepped(now, start - 300_000, 381, 412, { route: '/orders' }, 8)],
  });
  const before = make({
    kind: 'incident',
    role: 'context',
    summary: 'INC-31, 12 days ago: connection pool exhausted after a deploy; rolling back fixed it in 9m 20s',
    url: null,
    start: null,
    end: null,
  });
  return {
    errors,
    pool,
    deploy: deployed,
    cpu,
    payments,
    traffic,
    all: [errors, pool, deployed, cpu, payments, traffic, before],
  };
}

function change(service_name: string, summary: string, kind: string, version: string | null, at: number) {
  return {
    id: uuid(),
    service_name,
    summary,
    kind,
    version,
    timestamp: new Date(at).toISOString(),
    url: kind === 'deploy' ? 'https://git.shop.example/checkout-api/compare/v2.40.3...v2.41.0' : null,
    created_at: new Date(at).toISOString(),
  };
}
