// Provisional: the shapes of the API, in the form the generator writes them.

export type Severity = 'critical' | 'high' | 'medium' | 'low' | 'info';

export type State =
    | 'detected'
    | 'acknowledged'
    | 'investigating'
    | 'mitigated'
    | 'resolved'
    | 'learned'
    | 'inconclusive';

export type Role = 'owner' | 'admin' | 'engineer' | 'viewer';

export type Problem = {
    type: string;
    title: string;
    status: number;
    detail: string;
    request_id: string;
    errors?: Array<FieldError>;
    legal?: Array<State>;
};

export type FieldError = { field: string; message: string };

export type User = { id: string; email: string; full_name: string };

export type Tenant = { id: string; name: string };

export type Project = { id: string; name: string; created_at: string };

export type ProjectRole = { id: string; name: string; role: Role };

export type Me = {
    user: User;
    tenant: Tenant;
    project: Project;
    role: Role;
    projects: Array<ProjectRole>;
    csrf_token: string;
};

export type Setup = { can_register: boolean; registration: 'first' | 'open' | 'closed' };

export type SignedIn = { user: User; projects: Array<ProjectRole>; csrf_token: string };

export type Registered = { user: User; tenant: Tenant; project: Project; csrf_token: string };

export type Session = {
    id: string;
    user_agent: string;
    remote: string;
    created_at: string;
    last_used_at: string;
    expires_at: string;
    current: boolean;
};

export type Invitation = { id: string; email: string; role: Role; expires_at: string; link?: string };

export type Member = { user_id: string; email: string; full_name: string; role: Role; created_at: string };

export type ApiKey = {
    id: string;
    name: string;
    role: Role;
    prefix: string;
    created_at: string;
    expires_at: string | null;
    last_used_at: string | null;
    key?: string;
};

export type AuditEntry = {
    id: string;
    at: string;
    actor: string;
    action: string;
    object: string;
    result: string;
    remote: string;
    request_id: string;
    detail: { [key: string]: unknown };
};

export type IntegrationKind = 'alertmanager' | 'prometheus' | 'grafana';

export type IntegrationSettings = {
    source?: string;
    group_by?: Array<string>;
    severity_map?: { [key: string]: Severity };
    service_labels?: Array<string>;
    open_info?: boolean;
    repeat_interval_s?: number;
    group_interval_s?: number;
    heartbeat_timeout_s?: number;
};

export type Integration = {
    id: string;
    kind: IntegrationKind;
    name: string;
    url: string | null;
    has_auth: boolean;
    settings: IntegrationSettings;
    webhook_url: string;
    snippet: string;
    created_at: string;
    last_delivery_at: string | null;
    last_delivery_status: 'accepted' | 'rejected' | null;
    truncated_alerts: number;
    token?: string;
};

export type TestResult = { ok: boolean; detail: string; latency_ms: number };

export type RotatedToken = { token: string; snippet: string; old_token_expires_at: string };

export type Outcome =
    | 'opened'
    | 'attached'
    | 'repeated'
    | 'resolved'
    | 'reopened'
    | 'held'
    | 'suppressed'
    | 'quarantined';

export type Delivery = {
    id: string;
    integration_id: string;
    integration_name: string;
    received_at: string;
    remote: string;
    user_agent: string;
    format: string | null;
    status: 'accepted' | 'rejected';
    http_status: number;
    reason: string | null;
    received: number;
    outcomes: { [key: string]: number };
    truncated: number;
    replay_of: string | null;
};

export type DeliveryResult = {
    index: number;
    fingerprint: string | null;
    name: string | null;
    outcome: Outcome;
    reason: string | null;
    incident_id: string | null;
};

export type DeliveryDetail = Delivery & { body: string; results: Array<DeliveryResult> };

export type AnalysisStatus = 'queued' | 'running' | 'completed' | 'inconclusive' | 'failed';

export type AnalysisSummary = {
    status: AnalysisStatus;
    claim: string | null;
    confidence_score: number | null;
    suspected_service: string | null;
};

export type Incident = {
    id: string;
    number: number;
    project_id: string;
    title: string;
    description: string;
    service_name: string | null;
    severity: Severity;
    severity_note: string | null;
    state: State;
    open: boolean;
    source: string;
    labels: { [key: string]: string };
    alert_count: number;
    open_alert_count: number;
    stale: boolean;
    flapping: boolean;
    assigned_to: string | null;
    assigned_to_name: string | null;
    detected_at: string;
    acknowledged_at: string | null;
    investigating_at: string | null;
    mitigated_at: string | null;
    resolved_at: string | null;
    learned_at: string | null;
    root_cause: string | null;
    resolution_summary: string | null;
    merged_into: string | null;
    previous_incident_id: string | null;
    created_at: string;
    updated_at: string;
    version: number;
    analysis: AnalysisSummary | null;
};

export type IncidentPage = { items: Array<Incident>; next_cursor: string | null };

export type IncidentSummary = {
    open: number;
    unacknowledged: number;
    open_by_severity: { [key in Severity]: number };
    mtta_median_s: number | null;
    mtta_count: number;
    server_time: string;
};

export type StepStatus = 'pending' | 'in_progress' | 'completed' | 'failed' | 'skipped';

export type Step = {
    id: string;
    step_type: string;
    status: StepStatus;
    started_at: string;
    completed_at: string | null;
    duration_ms: number | null;
    detail: { [key: string]: unknown };
    actor: string | null;
};

export type Comment = { id: string; body: string; author_id: string | null; author_name: string; created_at: string };

export type IncidentAlert = {
    id: string;
    fingerprint: string;
    name: string;
    title: string;
    description: string;
    severity: Severity;
    service_name: string | null;
    status: 'firing' | 'resolved';
    labels: { [key: string]: string };
    annotations: { [key: string]: string };
    starts_at: string;
    ends_at: string | null;
    last_seen_at: string;
    repeat_count: number;
    flapping: boolean;
    flags: Array<string>;
    generator_url: string | null;
    runbook_url: string | null;
    integration_id: string;
    integration_name: string;
};

export type Tokens = { prompt: number | null; completion: number | null };

export type Analysis = {
    id: string;
    version: number;
    status: AnalysisStatus;
    engine: 'statistical' | 'llm';
    model: string | null;
    started_at: string | null;
    completed_at: string | null;
    reason: string | null;
    checked: Array<string>;
    tokens: Tokens | null;
    cost_usd: number | null;
    onset_at: string | null;
};

export type Verdict = 'accepted' | 'rejected' | 'uncertain';

export type Feedback = { verdict: Verdict; comment: string | null; by: string; at: string };

export type Hypothesis = {
    id: string;
    incident_id: string;
    analysis_id: string;
    rank: number;
    claim: string;
    description: string;
    confidence_score: number;
    confidence_lower: number;
    confidence_upper: number;
    suspected_service: string | null;
    suspected_metric: string | null;
    supporting_evidence: Array<string>;
    contradicting_evidence: Array<string>;
    next_checks: Array<string>;
    engine: 'statistical' | 'llm';
    feedback: Feedback | null;
    created_at: string;
};

export type Hypotheses = { analysis: Analysis | null; items: Array<Hypothesis>; cached?: boolean };

export type Series = { labels: { [key: string]: string }; points: Array<[number, number | null]> };

export type Evidence = {
    id: string;
    kind: 'metric' | 'alert' | 'change' | 'incident';
    summary: string;
    query: string | null;
    start: string | null;
    end: string | null;
    value: number | null;
    baseline: number | null;
    score: number | null;
    unit: string | null;
    role: 'symptom' | 'candidate' | 'context';
    series: Array<Series> | null;
    threshold: number | null;
    url: string | null;
};

export type Change = {
    id: string;
    service_name: string;
    summary: string;
    kind: string;
    version: string | null;
    timestamp: string;
    url: string | null;
    created_at: string;
};

export type Stat = { median_s: number | null; p90_s: number | null; count: number };

export type IncidentBucket = {
    start: string;
    opened: number;
    resolved: number;
    by_severity: { [key in Severity]: number };
};

export type IncidentAnalytics = {
    from: string;
    to: string;
    bucket: 'hour' | 'day';
    buckets: Array<IncidentBucket>;
    by_state: { [key in State]: number };
    by_severity: { [key in Severity]: number };
    by_service: Array<{ service_name: string | null; count: number }>;
    mtta: Stat;
    mttr: Stat;
    alerts: number;
    incidents: number;
    alerts_per_incident: number | null;
};

export type AiDay = {
    day: string;
    model: string;
    requests: number;
    prompt_tokens: number;
    completion_tokens: number;
    cost_usd: number | null;
};

export type CalibrationBin = { from: number; to: number; count: number; accepted: number };

export type AiAnalytics = {
    from: string;
    to: string;
    model: string | null;
    days: Array<AiDay>;
    totals: {
        requests: number;
        prompt_tokens: number;
        completion_tokens: number;
        cost_usd: number | null;
        cache_hits: number;
        orphaned: number;
        failed: number;
    };
    budget: { daily_usd: number; used_today_usd: number };
    feedback: { accepted: number; rejected: number; uncertain: number };
    analyses: { completed: number; inconclusive: number; failed: number };
    calibration: Array<CalibrationBin>;
};

export type EventType =
    | 'incident.created'
    | 'incident.updated'
    | 'hypothesis.generated'
    | 'alert.fired'
    | 'alert.resolved';
