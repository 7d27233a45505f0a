-- Entries of the audit log go when their time is over. The rest stays a chain: its anchor is the number and the hash of
-- the last entry that went.
alter table audit_heads add column trimmed integer not null default 0;
alter table audit_heads add column trimmed_hash blob not null default x'';
-- The product may take away what the anchor says has gone, and nothing else.
drop trigger audit_stays;
create trigger audit_stays before delete on audit
when not exists (
    select 1 from audit_heads
    where tenant_id = old.tenant_id and trimmed > 0 and coalesce(old.number, 0) <= trimmed)
begin
    select raise(abort, 'an entry of the audit log is never deleted');
end;
