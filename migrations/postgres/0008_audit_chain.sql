-- The audit log as a chain: every entry holds the hash of the one before it, so that a change, a gap or another order
-- shows. Entries from before have no number and stand outside of it.
alter table audit add column number bigint;
alter table audit add column hash bytea;
create unique index audit_number on audit (tenant_id, number) where number is not null;
-- Where a tenant's chain ends.
create table audit_heads (
    tenant_id uuid not null references tenants (tenant_id),
    number bigint not null,
    hash bytea not null,
    primary key (tenant_id)
);
-- The product adds entries and never changes one.
revoke update, delete on audit from sre_copilot_app;
