-- Owners take turns: a claim looks for the next owner with a due job.
drop index jobs_due;
create index jobs_due on jobs (queue, tenant_id, run_at) where done_at is null;
