-- The incident changed while this analysis was worked on: another is queued when it ends.
alter table analyses add column again integer not null default 0;
