-- Entries of the audit log go when their time is over. The rest stays a chain: its anchor is the number and the hash of
-- the last entry that went.
alter table audit_heads add column trimmed bigint not null default 0;
alter table audit_heads add column trimmed_hash bytea not null default '';
-- The product may take away what the anchor says has gone, and nothing else.
create function sre_copilot_audit_stays() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
    if not exists (
        select 1 from audit_heads
        where tenant_id = old.tenant_id and trimmed > 0 and coalesce(old.number, 0) <= trimmed)
    then
        raise exception 'an entry of the audit log is never deleted';
    end if;
    return old;
end
$$;
create trigger audit_stays before delete on audit for each row execute function sre_copilot_audit_stays();
grant delete on audit to sre_copilot_app;
-- Looks for organisations whose oldest entry is old.
select sre_copilot_admit('housekeeping', 'audit', 'select'), sre_copilot_admit('housekeeping', 'audit_heads', 'select');
