-- The incident changed while this analysis was worked on: another is queued when it ends.
alter table analyses add column again boolean not null default false;

-- What was resolved, and what ended, in a span. Neither is written at the first sight of an alert.
create index incidents_resolved on incidents (tenant_id, project_id, resolved_at) where resolved_at is not null;
create index analyses_ended on analyses (tenant_id, completed_at) where completed_at is not null;
