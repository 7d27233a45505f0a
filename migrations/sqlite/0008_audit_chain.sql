-- The audit log as a chain: every entry holds the hash of the one before it, so that a change, a gap or another order
-- shows. Entries from before have no number and stand outside of it.
alter table audit add column number integer;
alter table audit add column hash blob;
create unique index audit_number on audit (tenant_id, number) where number is not null;
-- Where a tenant's chain ends.
create table audit_heads (
    tenant_id blob not null references tenants (tenant_id),
    number integer not null,
    hash blob not null,
    primary key (tenant_id)
) strict;
-- The product adds entries and never changes one.
create trigger audit_is_kept before update on audit begin
    select raise(abort, 'an entry of the audit log is never changed');
end;
create trigger audit_stays before delete on audit begin
    select raise(abort, 'an entry of the audit log is never deleted');
end;
