-- When a stranger's request last left a receipt.
alter table integrations add column last_rejection_at timestamptz;

-- What retention looks for: bodies that are there, receipts whose body is gone, and jobs that an earlier version, which
-- kept them, has finished.
create index deliveries_age on deliveries (received_at) where body is not null;
create index deliveries_bare on deliveries (received_at) where body is null;
create index receipts_bare on receipts (received_at) where bodies is null;
create index jobs_done on jobs (done_at) where done_at is not null;

select sre_copilot_admit('bodies', 'deliveries', 'delete'), sre_copilot_admit('bodies', 'receipts', 'delete');
select sre_copilot_admit('housekeeping', 'invitations', 'select', 'delete'),
    sre_copilot_admit('housekeeping', 'spooled', 'select', 'delete'),
    sre_copilot_admit('housekeeping', 'jobs', 'select', 'delete');
