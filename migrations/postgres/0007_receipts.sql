-- The receipts of one commit and integration in one row, compressed. A receipt's id is the row's id with its
-- place in the row in the last 16 bits, which are zero in the row's own. Receipts from before are in
-- deliveries, where those of refused requests still go.
create table receipts (
    tenant_id uuid not null,
    id uuid not null,
    project_id uuid not null,
    integration_id uuid not null,
    received_at timestamptz not null,
    receipts bigint not null,
    heads bytea not null,
    results bytea not null,
    bodies bytea,
    primary key (tenant_id, id),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
);
create index receipts_project on receipts (tenant_id, project_id, id);
create index receipts_age on receipts (received_at) where bodies is not null;
create index deliveries_id on deliveries (tenant_id, project_id, id);
select sre_copilot_admit('bodies', 'receipts', 'select', 'update');
