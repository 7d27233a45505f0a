-- Whom a project tells what happens in it: a channel follows the project's stream of events.
create table notification_channels (
    tenant_id uuid not null,
    id uuid not null,
    project_id uuid not null,
    kind text not null,
    name text not null,
    -- As it is shown: never the secret part.
    address text not null,
    -- Where it is sent and what opens it, sealed.
    target bytea not null,
    -- What a webhook is signed with, sealed; after a rotation also the one before, until then.
    signing bytea,
    old_signing bytea,
    old_signing_until timestamptz,
    enabled boolean not null,
    min_severity text not null,
    services jsonb not null,
    tells jsonb not null,
    critical_faults boolean not null,
    -- The number of the last event that was looked at.
    seen bigint not null,
    next_pass_at timestamptz not null,
    -- One process at a time tells a channel.
    lease_until timestamptz,
    fence bigint not null default 0,
    -- Numbers its notifications, which are sent in this order.
    place bigint not null default 0,
    -- Failures in a row, and until when nothing is tried because of them.
    failures bigint not null default 0,
    retry_at timestamptz not null,
    last_success_at timestamptz,
    failing_since timestamptz,
    last_error text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
);
create index notification_channels_project on notification_channels (tenant_id, project_id);

-- One message to one channel.
create table notifications (
    tenant_id uuid not null,
    id uuid not null,
    project_id uuid not null,
    channel_id uuid not null,
    place bigint not null,
    what text not null,
    incident_id uuid,
    incident_numbers jsonb not null,
    title text not null,
    -- What it says, as it was when that was decided.
    facts jsonb not null,
    status text not null,
    attempts bigint not null,
    last_status_code bigint,
    detail text not null,
    created_at timestamptz not null,
    next_attempt_at timestamptz,
    give_up_at timestamptz not null,
    sent_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, channel_id) references notification_channels (tenant_id, id) on delete cascade,
    foreign key (tenant_id, incident_id) references incidents (tenant_id, id) on delete cascade
);
create index notifications_channel on notifications (tenant_id, channel_id, created_at, id);
create index notifications_incident on notifications (tenant_id, incident_id, created_at, id);
-- Digests name incidents by their numbers.
create index notifications_of_many on notifications (tenant_id, project_id, created_at) where incident_id is null;
create index notifications_waiting on notifications (tenant_id, channel_id, place) where status = 'waiting';
create index notifications_age on notifications (created_at);

-- What a channel knows of an incident.
create table notification_marks (
    tenant_id uuid not null,
    channel_id uuid not null,
    incident_id uuid not null,
    -- Whether it was told that there is such an incident.
    told boolean not null,
    -- Whether the incident was one to tell of when it was last looked at.
    matched boolean not null,
    open boolean not null,
    severity text not null,
    acknowledged boolean not null,
    -- Whether it was told as one of many.
    digested boolean not null,
    -- Whether somebody had put it off.
    snoozed boolean not null,
    -- The cause that was told.
    cause text,
    updated_at timestamptz not null,
    primary key (tenant_id, channel_id, incident_id),
    foreign key (tenant_id, channel_id) references notification_channels (tenant_id, id) on delete cascade,
    foreign key (tenant_id, incident_id) references incidents (tenant_id, id) on delete cascade
);
create index notification_marks_age on notification_marks (updated_at) where not open;
create index notification_marks_incident on notification_marks (tenant_id, incident_id);

-- Looks for channels that have something to tell, counts what waits, and remembers whom to tell when the database is away.
select sre_copilot_admit('notify', 'notification_channels', 'select'), sre_copilot_admit('notify', 'notifications', 'select'),
    sre_copilot_admit('notify', 'streams', 'select'), sre_copilot_admit('notify', 'projects', 'select');
select sre_copilot_admit('housekeeping', 'notifications', 'select', 'delete'),
    sre_copilot_admit('housekeeping', 'notification_marks', 'select', 'delete');
