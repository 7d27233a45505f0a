-- Whom a project tells what happens in it: a channel follows the project's stream of events.
create table notification_channels (
    tenant_id blob not null,
    id blob not null,
    project_id blob not null,
    kind text not null,
    name text not null,
    -- As it is shown: never the secret part.
    address text not null,
    -- Where it is sent and what opens it, sealed.
    target blob not null,
    -- What a webhook is signed with, sealed; after a rotation also the one before, until then.
    signing blob,
    old_signing blob,
    old_signing_until integer,
    enabled integer not null,
    min_severity text not null,
    services text not null,
    tells text not null,
    critical_faults integer not null,
    -- The number of the last event that was looked at.
    seen integer not null,
    next_pass_at integer not null,
    -- One process at a time tells a channel.
    lease_until integer,
    fence integer not null default 0,
    -- Numbers its notifications, which are sent in this order.
    place integer not null default 0,
    -- Failures in a row, and until when nothing is tried because of them.
    failures integer not null default 0,
    retry_at integer not null,
    last_success_at integer,
    failing_since integer,
    last_error text,
    created_at integer not null,
    updated_at integer not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
) strict;
create index notification_channels_project on notification_channels (tenant_id, project_id);

-- One message to one channel.
create table notifications (
    tenant_id blob not null,
    id blob not null,
    project_id blob not null,
    channel_id blob not null,
    place integer not null,
    what text not null,
    incident_id blob,
    incident_numbers text not null,
    title text not null,
    -- What it says, as it was when that was decided.
    facts text not null,
    status text not null,
    attempts integer not null,
    last_status_code integer,
    detail text not null,
    created_at integer not null,
    next_attempt_at integer,
    give_up_at integer not null,
    sent_at integer,
    primary key (tenant_id, id),
    foreign key (tenant_id, channel_id) references notification_channels (tenant_id, id) on delete cascade,
    foreign key (tenant_id, incident_id) references incidents (tenant_id, id) on delete cascade
) strict;
create index notifications_channel on notifications (tenant_id, channel_id, created_at, id);
create index notifications_incident on notifications (tenant_id, incident_id, created_at, id);
-- Digests name incidents by their numbers.
create index notifications_of_many on notifications (tenant_id, project_id, created_at) where incident_id is null;
create index notifications_waiting on notifications (tenant_id, channel_id, place) where status = 'waiting';
create index notifications_age on notifications (created_at);

-- What a channel knows of an incident.
create table notification_marks (
    tenant_id blob not null,
    channel_id blob not null,
    incident_id blob not null,
    -- Whether it was told that there is such an incident.
    told integer not null,
    -- Whether the incident was one to tell of when it was last looked at.
    matched integer not null,
    open integer not null,
    severity text not null,
    acknowledged integer not null,
    -- Whether it was told as one of many.
    digested integer not null,
    -- Whether somebody had put it off.
    snoozed integer not null,
    -- The cause that was told.
    cause text,
    updated_at integer not null,
    primary key (tenant_id, channel_id, incident_id),
    foreign key (tenant_id, channel_id) references notification_channels (tenant_id, id) on delete cascade,
    foreign key (tenant_id, incident_id) references incidents (tenant_id, id) on delete cascade
) strict;
create index notification_marks_age on notification_marks (updated_at) where not open;
create index notification_marks_incident on notification_marks (tenant_id, incident_id);
