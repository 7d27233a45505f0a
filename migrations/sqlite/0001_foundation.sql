-- Every key starts with the tenant, and every reference carries it, so that no row can point at another
-- tenant's and the schema shards by tenant_id as it stands.

create table tenants (
    tenant_id blob primary key,
    name text not null,
    llm_enabled integer not null default 1,
    created_at integer not null
) strict;

create table users (
    tenant_id blob not null references tenants (tenant_id),
    id blob not null,
    email text not null,
    full_name text not null,
    password_hash text not null,
    disabled_at integer,
    created_at integer not null,
    primary key (tenant_id, id)
) strict;
-- Signing in knows only the address, so it is unique beyond the tenant.
create unique index users_email on users (email);

create table projects (
    tenant_id blob not null references tenants (tenant_id),
    id blob not null,
    name text not null,
    last_incident_number integer not null default 0,
    created_at integer not null,
    deleted_at integer,
    primary key (tenant_id, id)
) strict;

create table members (
    tenant_id blob not null,
    project_id blob not null,
    user_id blob not null,
    role text not null,
    created_at integer not null,
    primary key (tenant_id, project_id, user_id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade,
    foreign key (tenant_id, user_id) references users (tenant_id, id)
) strict;
create index members_user on members (tenant_id, user_id);

-- A refresh token is used once; a used one that comes back ends the session (RFC 9700, 4.14).
create table sessions (
    tenant_id blob not null,
    id blob not null,
    user_id blob not null,
    project_id blob not null,
    refresh_hash blob not null,
    previous_hash blob,
    rotated_at integer not null,
    user_agent text not null,
    remote text not null,
    created_at integer not null,
    last_used_at integer not null,
    expires_at integer not null,
    ended_at integer,
    primary key (tenant_id, id),
    foreign key (tenant_id, user_id) references users (tenant_id, id)
) strict;
create index sessions_user on sessions (tenant_id, user_id);
create unique index sessions_refresh on sessions (refresh_hash);
create index sessions_previous on sessions (previous_hash);

create table invitations (
    tenant_id blob not null,
    id blob not null,
    project_id blob not null,
    email text not null,
    role text not null,
    token_hash blob not null,
    invited_by blob not null,
    created_at integer not null,
    expires_at integer not null,
    accepted_at integer,
    primary key (tenant_id, id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
) strict;
create unique index invitations_token on invitations (token_hash);

create table api_keys (
    tenant_id blob not null,
    id blob not null,
    project_id blob not null,
    name text not null,
    role text not null,
    prefix text not null,
    secret_hash blob not null,
    created_by blob,
    created_at integer not null,
    expires_at integer,
    last_used_at integer,
    revoked_at integer,
    primary key (tenant_id, id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
) strict;
create unique index api_keys_prefix on api_keys (prefix);

create table audit (
    tenant_id blob not null references tenants (tenant_id),
    id blob not null,
    at integer not null,
    actor text not null,
    action text not null,
    object text not null,
    result text not null,
    remote text not null,
    request_id text not null,
    detail text not null,
    primary key (tenant_id, id)
) strict;

create table idempotency (
    tenant_id blob not null references tenants (tenant_id),
    principal text not null,
    key text not null,
    request_hash blob not null,
    status integer,
    body text,
    created_at integer not null,
    primary key (tenant_id, principal, key)
) strict;
create index idempotency_age on idempotency (created_at);

-- Attempts to sign in, for throttling: one row a bucket, replaced as it ages.
create table login_attempts (
    bucket text primary key,
    failures integer not null,
    last_at integer not null
) strict;

create table integrations (
    tenant_id blob not null,
    id blob not null,
    project_id blob not null,
    kind text not null,
    name text not null,
    url text,
    auth blob,
    settings text not null,
    truncated_alerts integer not null default 0,
    last_delivery_at integer,
    last_delivery_status text,
    created_at integer not null,
    deleted_at integer,
    primary key (tenant_id, id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
) strict;
create index integrations_project on integrations (tenant_id, project_id);

create table integration_tokens (
    tenant_id blob not null,
    integration_id blob not null,
    prefix text not null,
    secret_hash blob not null,
    created_at integer not null,
    expires_at integer,
    primary key (tenant_id, integration_id, prefix),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
) strict;
create unique index integration_tokens_prefix on integration_tokens (prefix);

-- The receipt of a webhook request: its body as received (deflated) and what became of each alert in it.
create table deliveries (
    tenant_id blob not null,
    id blob not null,
    project_id blob not null,
    integration_id blob not null,
    received_at integer not null,
    remote text not null,
    user_agent text not null,
    sender text not null,
    format text,
    status text not null,
    http_status integer not null,
    reason text,
    received integer not null,
    truncated integer not null,
    outcomes text not null,
    results text not null,
    body blob,
    replay_of blob,
    primary key (tenant_id, id),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
) strict;
create index deliveries_project on deliveries (tenant_id, project_id, received_at);

create table incidents (
    tenant_id blob not null,
    id blob not null,
    project_id blob not null,
    number integer not null,
    title text not null,
    description text not null,
    service_name text,
    severity text not null,
    severity_rank integer not null,
    severity_note text,
    severity_by_person integer not null default 0,
    state text not null,
    open integer not null,
    source text not null,
    labels text not null,
    incident_key blob,
    alert_count integer not null,
    open_alert_count integer not null,
    stale integer not null default 0,
    flapping integer not null default 0,
    assigned_to blob,
    detected_at integer not null,
    acknowledged_at integer,
    investigating_at integer,
    mitigated_at integer,
    resolved_at integer,
    learned_at integer,
    resolved_by text,
    root_cause text,
    resolution_summary text,
    merged_into blob,
    previous_incident_id blob,
    stale_at integer,
    stale_after_s integer,
    created_at integer not null,
    updated_at integer not null,
    version integer not null,
    primary key (tenant_id, id),
    unique (tenant_id, project_id, number),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
) strict;
-- At most one open incident a key: the database decides, not the code.
create unique index incidents_open_key on incidents (tenant_id, project_id, incident_key) where open;
create index incidents_key on incidents (tenant_id, project_id, incident_key, detected_at);
create index incidents_detected on incidents (tenant_id, project_id, detected_at, id);
create index incidents_needs_me on incidents (tenant_id, project_id, severity_rank, detected_at, id) where open;
create index incidents_stale on incidents (stale_at) where open;

-- Firings of a merged incident's key go to the incident it was merged into.
create table incident_redirects (
    tenant_id blob not null,
    project_id blob not null,
    incident_key blob not null,
    incident_id blob not null,
    primary key (tenant_id, project_id, incident_key),
    foreign key (tenant_id, incident_id) references incidents (tenant_id, id) on delete cascade
) strict;

-- The current state of an alert key. Its labels never change: they are the key.
create table alerts (
    tenant_id blob not null,
    id blob not null,
    project_id blob not null,
    alert_key blob not null,
    integration_id blob not null,
    incident_key blob not null,
    fingerprint text not null,
    name text not null,
    title text not null,
    description text not null,
    service_name text,
    severity text not null,
    labels text not null,
    annotations text not null,
    generator_url text,
    runbook_url text,
    flags text not null,
    heartbeat integer not null default 0,
    -- What rules R1 to R10 read and write.
    incident_id blob,
    episode_id blob,
    starts_at integer,
    opened_at integer,
    last_starts_at integer,
    last_ends_at integer,
    closed_at integer,
    tomb_starts_at integer,
    tomb_ends_at integer,
    tomb_at integer,
    held_starts_at integer,
    held_until integer,
    transitions text not null,
    flapping_until integer,
    first_seen_at integer not null,
    last_seen_at integer not null,
    statements integer not null,
    longest_gap_s integer not null default 0,
    primary key (tenant_id, id),
    unique (tenant_id, project_id, alert_key),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
) strict;
create index alerts_incident on alerts (tenant_id, incident_id) where episode_id is not null;
create index alerts_held on alerts (held_until) where held_until is not null;
create index alerts_flapping on alerts (flapping_until) where flapping_until is not null;
create index alerts_heartbeat on alerts (last_seen_at) where heartbeat;
create index alerts_firing on alerts (tenant_id, project_id, opened_at) where episode_id is not null;

create table episodes (
    tenant_id blob not null,
    id blob not null,
    project_id blob not null,
    alert_id blob not null,
    incident_id blob,
    starts_at integer not null,
    ends_at integer,
    opened_at integer not null,
    closed_at integer,
    primary key (tenant_id, id),
    foreign key (tenant_id, alert_id) references alerts (tenant_id, id) on delete cascade
) strict;
create index episodes_incident on episodes (tenant_id, incident_id, opened_at);
create index episodes_time on episodes (tenant_id, project_id, opened_at);

create table steps (
    tenant_id blob not null,
    id blob not null,
    incident_id blob not null,
    step_type text not null,
    status text not null,
    started_at integer not null,
    completed_at integer,
    detail text not null,
    actor text,
    primary key (tenant_id, id),
    foreign key (tenant_id, incident_id) references incidents (tenant_id, id) on delete cascade
) strict;
create index steps_incident on steps (tenant_id, incident_id, started_at, id);

create table comments (
    tenant_id blob not null,
    id blob not null,
    incident_id blob not null,
    author_id blob,
    author_name text not null,
    body text not null,
    created_at integer not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, incident_id) references incidents (tenant_id, id) on delete cascade
) strict;
create index comments_incident on comments (tenant_id, incident_id, created_at, id);

create table analyses (
    tenant_id blob not null,
    id blob not null,
    incident_id blob not null,
    version integer not null,
    status text not null,
    engine text not null,
    model text,
    evidence_hash blob,
    reason text,
    checked text not null,
    onset_at integer,
    prompt_tokens integer,
    completion_tokens integer,
    cost_micros integer,
    created_at integer not null,
    started_at integer,
    completed_at integer,
    primary key (tenant_id, id),
    unique (tenant_id, incident_id, version),
    foreign key (tenant_id, incident_id) references incidents (tenant_id, id) on delete cascade
) strict;

create table evidence (
    tenant_id blob not null,
    id blob not null,
    incident_id blob not null,
    analysis_id blob not null,
    position integer not null,
    kind text not null,
    role text not null,
    summary text not null,
    query text,
    start_at integer,
    end_at integer,
    value real,
    baseline real,
    score real,
    threshold real,
    unit text,
    series text,
    url text,
    primary key (tenant_id, id),
    foreign key (tenant_id, analysis_id) references analyses (tenant_id, id) on delete cascade
) strict;
create index evidence_analysis on evidence (tenant_id, analysis_id, position);
create index evidence_incident on evidence (tenant_id, incident_id, position);

create table hypotheses (
    tenant_id blob not null,
    id blob not null,
    incident_id blob not null,
    analysis_id blob not null,
    rank integer not null,
    claim text not null,
    description text not null,
    confidence_score real not null,
    confidence_lower real not null,
    confidence_upper real not null,
    suspected_service text,
    suspected_metric text,
    supporting_evidence text not null,
    contradicting_evidence text not null,
    next_checks text not null,
    engine text not null,
    verdict text,
    verdict_comment text,
    verdict_by text,
    verdict_at integer,
    created_at integer not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, analysis_id) references analyses (tenant_id, id) on delete cascade
) strict;
create index hypotheses_analysis on hypotheses (tenant_id, analysis_id, rank);
create index hypotheses_verdict on hypotheses (tenant_id, incident_id) where verdict is not null;

-- A call is entered with its reserved cost before it is made, so that a lost answer is still paid for.
create table model_calls (
    tenant_id blob not null,
    id blob not null,
    project_id blob not null,
    incident_id blob not null,
    analysis_id blob not null,
    fence integer not null,
    model text not null,
    prompt_version text not null,
    status text not null,
    failure text,
    reserved_micros integer,
    cost_micros integer,
    prompt_tokens integer,
    cached_tokens integer,
    completion_tokens integer,
    started_at integer not null,
    ended_at integer,
    primary key (tenant_id, id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
) strict;
create index model_calls_day on model_calls (tenant_id, started_at);
create index model_calls_analysis on model_calls (tenant_id, analysis_id);

create table changes (
    tenant_id blob not null,
    id blob not null,
    project_id blob not null,
    service_name text not null,
    summary text not null,
    kind text not null,
    version text,
    url text,
    at integer not null,
    created_by text not null,
    created_at integer not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
) strict;
create index changes_time on changes (tenant_id, project_id, at);

-- Events and work (crate outbox).
create table streams (
    tenant_id blob not null,
    stream_id blob not null,
    epoch blob not null,
    seq integer not null,
    primary key (tenant_id, stream_id)
) strict;

create table events (
    tenant_id blob not null,
    stream_id blob not null,
    seq integer not null,
    kind text not null,
    data text not null,
    at integer not null,
    primary key (tenant_id, stream_id, seq)
) strict;
create index events_age on events (at);

create table jobs (
    tenant_id blob not null,
    id blob not null,
    queue text not null,
    key text not null,
    payload text not null,
    run_at integer not null,
    lease_until integer,
    fence integer not null,
    attempts integer not null,
    done_at integer,
    primary key (tenant_id, id)
) strict;
create unique index jobs_key on jobs (tenant_id, queue, key) where done_at is null;
create index jobs_due on jobs (queue, run_at) where done_at is null;
