-- Every key starts with the tenant, and every reference carries it, so that no row can point at another
-- tenant's and the schema shards by tenant_id as it stands.

create table tenants (
    tenant_id uuid primary key,
    name text not null,
    llm_enabled boolean not null default true,
    created_at timestamptz not null
);

create table users (
    tenant_id uuid not null references tenants (tenant_id),
    id uuid not null,
    email text not null,
    full_name text not null,
    password_hash text not null,
    disabled_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, id)
);
-- Signing in knows only the address, so it is unique beyond the tenant.
create unique index users_email on users (email);

create table projects (
    tenant_id uuid not null references tenants (tenant_id),
    id uuid not null,
    name text not null,
    last_incident_number bigint not null default 0,
    created_at timestamptz not null,
    deleted_at timestamptz,
    primary key (tenant_id, id)
);

create table members (
    tenant_id uuid not null,
    project_id uuid not null,
    user_id uuid not null,
    role text not null,
    created_at timestamptz not null,
    primary key (tenant_id, project_id, user_id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade,
    foreign key (tenant_id, user_id) references users (tenant_id, id)
);
create index members_user on members (tenant_id, user_id);

-- A refresh token is used once; a used one that comes back ends the session (RFC 9700, 4.14).
create table sessions (
    tenant_id uuid not null,
    id uuid not null,
    user_id uuid not null,
    project_id uuid not null,
    refresh_hash bytea not null,
    previous_hash bytea,
    rotated_at timestamptz not null,
    user_agent text not null,
    remote text not null,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, user_id) references users (tenant_id, id)
);
create index sessions_user on sessions (tenant_id, user_id);
create unique index sessions_refresh on sessions (refresh_hash);
create index sessions_previous on sessions (previous_hash);

create table invitations (
    tenant_id uuid not null,
    id uuid not null,
    project_id uuid not null,
    email text not null,
    role text not null,
    token_hash bytea not null,
    invited_by uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    accepted_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
);
create unique index invitations_token on invitations (token_hash);

create table api_keys (
    tenant_id uuid not null,
    id uuid not null,
    project_id uuid not null,
    name text not null,
    role text not null,
    prefix text not null,
    secret_hash bytea not null,
    created_by uuid,
    created_at timestamptz not null,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
);
create unique index api_keys_prefix on api_keys (prefix);

create table audit (
    tenant_id uuid not null references tenants (tenant_id),
    id uuid not null,
    at timestamptz not null,
    actor text not null,
    action text not null,
    object text not null,
    result text not null,
    remote text not null,
    request_id text not null,
    detail jsonb not null,
    primary key (tenant_id, id)
);

create table idempotency (
    tenant_id uuid not null references tenants (tenant_id),
    principal text not null,
    key text not null,
    request_hash bytea not null,
    status bigint,
    body text,
    created_at timestamptz not null,
    primary key (tenant_id, principal, key)
);
create index idempotency_age on idempotency (created_at);

-- Attempts to sign in, for throttling: one row a bucket, replaced as it ages.
create table login_attempts (
    bucket text primary key,
    failures bigint not null,
    last_at timestamptz not null
);

create table integrations (
    tenant_id uuid not null,
    id uuid not null,
    project_id uuid not null,
    kind text not null,
    name text not null,
    url text,
    auth bytea,
    settings jsonb not null,
    truncated_alerts bigint not null default 0,
    last_delivery_at timestamptz,
    last_delivery_status text,
    created_at timestamptz not null,
    deleted_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
);
create index integrations_project on integrations (tenant_id, project_id);

create table integration_tokens (
    tenant_id uuid not null,
    integration_id uuid not null,
    prefix text not null,
    secret_hash bytea not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    primary key (tenant_id, integration_id, prefix),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
);
create unique index integration_tokens_prefix on integration_tokens (prefix);

-- The receipt of a webhook request: its body as received (deflated) and what became of each alert in it.
create table deliveries (
    tenant_id uuid not null,
    id uuid not null,
    project_id uuid not null,
    integration_id uuid not null,
    received_at timestamptz not null,
    remote text not null,
    user_agent text not null,
    sender text not null,
    format text,
    status text not null,
    http_status bigint not null,
    reason text,
    received bigint not null,
    truncated bigint not null,
    outcomes jsonb not null,
    results jsonb not null,
    body bytea,
    replay_of uuid,
    primary key (tenant_id, id),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
);
create index deliveries_project on deliveries (tenant_id, project_id, received_at);

create table incidents (
    tenant_id uuid not null,
    id uuid not null,
    project_id uuid not null,
    number bigint not null,
    title text not null,
    description text not null,
    service_name text,
    severity text not null,
    severity_rank bigint not null,
    severity_note text,
    severity_by_person boolean not null default false,
    state text not null,
    open boolean not null,
    source text not null,
    labels jsonb not null,
    incident_key bytea,
    alert_count bigint not null,
    open_alert_count bigint not null,
    stale boolean not null default false,
    flapping boolean not null default false,
    assigned_to uuid,
    detected_at timestamptz not null,
    acknowledged_at timestamptz,
    investigating_at timestamptz,
    mitigated_at timestamptz,
    resolved_at timestamptz,
    learned_at timestamptz,
    resolved_by text,
    root_cause text,
    resolution_summary text,
    merged_into uuid,
    previous_incident_id uuid,
    stale_at timestamptz,
    stale_after_s bigint,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version bigint not null,
    primary key (tenant_id, id),
    unique (tenant_id, project_id, number),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
);
-- At most one open incident a key: the database decides, not the code.
create unique index incidents_open_key on incidents (tenant_id, project_id, incident_key) where open;
create index incidents_key on incidents (tenant_id, project_id, incident_key, detected_at);
create index incidents_detected on incidents (tenant_id, project_id, detected_at, id);
create index incidents_needs_me on incidents (tenant_id, project_id, severity_rank, detected_at, id) where open;
create index incidents_stale on incidents (stale_at) where open;

-- Firings of a merged incident's key go to the incident it was merged into.
create table incident_redirects (
    tenant_id uuid not null,
    project_id uuid not null,
    incident_key bytea not null,
    incident_id uuid not null,
    primary key (tenant_id, project_id, incident_key),
    foreign key (tenant_id, incident_id) references incidents (tenant_id, id) on delete cascade
);

-- The current state of an alert key. Its labels never change: they are the key.
create table alerts (
    tenant_id uuid not null,
    id uuid not null,
    project_id uuid not null,
    alert_key bytea not null,
    integration_id uuid not null,
    incident_key bytea not null,
    fingerprint text not null,
    name text not null,
    title text not null,
    description text not null,
    service_name text,
    severity text not null,
    labels jsonb not null,
    annotations jsonb not null,
    generator_url text,
    runbook_url text,
    flags jsonb not null,
    heartbeat boolean not null default false,
    -- What rules R1 to R10 read and write.
    incident_id uuid,
    episode_id uuid,
    starts_at timestamptz,
    opened_at timestamptz,
    last_starts_at timestamptz,
    last_ends_at timestamptz,
    closed_at timestamptz,
    tomb_starts_at timestamptz,
    tomb_ends_at timestamptz,
    tomb_at timestamptz,
    held_starts_at timestamptz,
    held_until timestamptz,
    transitions jsonb not null,
    flapping_until timestamptz,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    statements bigint not null,
    longest_gap_s bigint not null default 0,
    primary key (tenant_id, id),
    unique (tenant_id, project_id, alert_key),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
);
create index alerts_incident on alerts (tenant_id, incident_id) where episode_id is not null;
create index alerts_held on alerts (held_until) where held_until is not null;
create index alerts_flapping on alerts (flapping_until) where flapping_until is not null;
create index alerts_heartbeat on alerts (last_seen_at) where heartbeat;
create index alerts_firing on alerts (tenant_id, project_id, opened_at) where episode_id is not null;

create table episodes (
    tenant_id uuid not null,
    id uuid not null,
    project_id uuid not null,
    alert_id uuid not null,
    incident_id uuid,
    starts_at timestamptz not null,
    ends_at timestamptz,
    opened_at timestamptz not null,
    closed_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, alert_id) references alerts (tenant_id, id) on delete cascade
);
create index episodes_incident on episodes (tenant_id, incident_id, opened_at);
create index episodes_time on episodes (tenant_id, project_id, opened_at);

create table steps (
    tenant_id uuid not null,
    id uuid not null,
    incident_id uuid not null,
    step_type text not null,
    status text not null,
    started_at timestamptz not null,
    completed_at timestamptz,
    detail jsonb not null,
    actor text,
    primary key (tenant_id, id),
    foreign key (tenant_id, incident_id) references incidents (tenant_id, id) on delete cascade
);
create index steps_incident on steps (tenant_id, incident_id, started_at, id);

create table comments (
    tenant_id uuid not null,
    id uuid not null,
    incident_id uuid not null,
    author_id uuid,
    author_name text not null,
    body text not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, incident_id) references incidents (tenant_id, id) on delete cascade
);
create index comments_incident on comments (tenant_id, incident_id, created_at, id);

create table analyses (
    tenant_id uuid not null,
    id uuid not null,
    incident_id uuid not null,
    version bigint not null,
    status text not null,
    engine text not null,
    model text,
    evidence_hash bytea,
    reason text,
    checked jsonb not null,
    onset_at timestamptz,
    prompt_tokens bigint,
    completion_tokens bigint,
    cost_micros bigint,
    created_at timestamptz not null,
    started_at timestamptz,
    completed_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, incident_id, version),
    foreign key (tenant_id, incident_id) references incidents (tenant_id, id) on delete cascade
);

create table evidence (
    tenant_id uuid not null,
    id uuid not null,
    incident_id uuid not null,
    analysis_id uuid not null,
    position bigint not null,
    kind text not null,
    role text not null,
    summary text not null,
    query text,
    start_at timestamptz,
    end_at timestamptz,
    value double precision,
    baseline double precision,
    score double precision,
    threshold double precision,
    unit text,
    series jsonb,
    url text,
    primary key (tenant_id, id),
    foreign key (tenant_id, analysis_id) references analyses (tenant_id, id) on delete cascade
);
create index evidence_analysis on evidence (tenant_id, analysis_id, position);
create index evidence_incident on evidence (tenant_id, incident_id, position);

create table hypotheses (
    tenant_id uuid not null,
    id uuid not null,
    incident_id uuid not null,
    analysis_id uuid not null,
    rank bigint not null,
    claim text not null,
    description text not null,
    confidence_score double precision not null,
    confidence_lower double precision not null,
    confidence_upper double precision not null,
    suspected_service text,
    suspected_metric text,
    supporting_evidence jsonb not null,
    contradicting_evidence jsonb not null,
    next_checks jsonb not null,
    engine text not null,
    verdict text,
    verdict_comment text,
    verdict_by text,
    verdict_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, analysis_id) references analyses (tenant_id, id) on delete cascade
);
create index hypotheses_analysis on hypotheses (tenant_id, analysis_id, rank);
create index hypotheses_verdict on hypotheses (tenant_id, incident_id) where verdict is not null;

-- A call is entered with its reserved cost before it is made, so that a lost answer is still paid for.
create table model_calls (
    tenant_id uuid not null,
    id uuid not null,
    project_id uuid not null,
    incident_id uuid not null,
    analysis_id uuid not null,
    fence bigint not null,
    model text not null,
    prompt_version text not null,
    status text not null,
    failure text,
    reserved_micros bigint,
    cost_micros bigint,
    prompt_tokens bigint,
    cached_tokens bigint,
    completion_tokens bigint,
    started_at timestamptz not null,
    ended_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
);
create index model_calls_day on model_calls (tenant_id, started_at);
create index model_calls_analysis on model_calls (tenant_id, analysis_id);

create table changes (
    tenant_id uuid not null,
    id uuid not null,
    project_id uuid not null,
    service_name text not null,
    summary text not null,
    kind text not null,
    version text,
    url text,
    at timestamptz not null,
    created_by text not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
);
create index changes_time on changes (tenant_id, project_id, at);

-- Events and work (crate outbox).
create table streams (
    tenant_id uuid not null,
    stream_id uuid not null,
    epoch uuid not null,
    seq bigint not null,
    primary key (tenant_id, stream_id)
);

create table events (
    tenant_id uuid not null,
    stream_id uuid not null,
    seq bigint not null,
    kind text not null,
    data jsonb not null,
    at timestamptz not null,
    primary key (tenant_id, stream_id, seq)
);
create index events_age on events (at);

create table jobs (
    tenant_id uuid not null,
    id uuid not null,
    queue text not null,
    key text not null,
    payload jsonb not null,
    run_at timestamptz not null,
    lease_until timestamptz,
    fence bigint not null,
    attempts bigint not null,
    done_at timestamptz,
    primary key (tenant_id, id)
);
create unique index jobs_key on jobs (tenant_id, queue, key) where done_at is null;
create index jobs_due on jobs (queue, run_at) where done_at is null;
