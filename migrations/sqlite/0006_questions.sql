-- Questions about an incident, answered from its evidence. What a question looked up is evidence of its own.
create table questions (
    tenant_id blob not null,
    id blob not null,
    project_id blob not null,
    incident_id blob not null,
    analysis_id blob not null,
    question text not null,
    status text not null,
    progress text not null,
    answer text,
    reason text,
    cited text not null,
    looked_up text not null,
    model text not null,
    asked_by text not null,
    created_at integer not null,
    completed_at integer,
    primary key (tenant_id, id),
    foreign key (tenant_id, incident_id) references incidents (tenant_id, id) on delete cascade
) strict;
create index questions_incident on questions (tenant_id, incident_id, created_at);

-- What is different from the version before, in words.
alter table analyses add column changed text;

-- The Prometheus that answered the query, so that exactly it can be asked again.
alter table evidence add column integration_id blob;
-- What a question looked up does not belong to the analysis' own facts.
alter table evidence add column question_id blob;

-- A call made for a question; null for an analysis.
alter table model_calls add column question_id blob;
-- Whether the reserved amount comes from an assumed price: what such a call really cost is not known.
alter table model_calls add column assumed integer not null default 0;
create index model_calls_open on model_calls (tenant_id, incident_id) where ended_at is null;
