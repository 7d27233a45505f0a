-- Questions about an incident, answered from its evidence. What a question looked up is evidence of its own.
create table questions (
    tenant_id uuid not null,
    id uuid not null,
    project_id uuid not null,
    incident_id uuid not null,
    analysis_id uuid not null,
    question text not null,
    status text not null,
    progress jsonb not null,
    answer text,
    reason text,
    cited jsonb not null,
    looked_up jsonb not null,
    model text not null,
    asked_by text not null,
    created_at timestamptz not null,
    completed_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, incident_id) references incidents (tenant_id, id) on delete cascade
);
create index questions_incident on questions (tenant_id, incident_id, created_at);

-- What is different from the version before, in words.
alter table analyses add column changed jsonb;

-- The Prometheus that answered the query, so that exactly it can be asked again.
alter table evidence add column integration_id uuid;
-- What a question looked up does not belong to the analysis' own facts.
alter table evidence add column question_id uuid;

-- A call made for a question; null for an analysis.
alter table model_calls add column question_id uuid;
-- Whether the reserved amount comes from an assumed price: what such a call really cost is not known.
alter table model_calls add column assumed boolean not null default false;
create index model_calls_open on model_calls (tenant_id, incident_id) where ended_at is null;
