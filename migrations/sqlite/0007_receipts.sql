-- The receipts of one commit and integration in one row, compressed. A receipt's id is the row's id with its
-- place in the row in the last 16 bits, which are zero in the row's own. Receipts from before are in
-- deliveries, where those of refused requests still go.
create table receipts (
    tenant_id blob not null,
    id blob not null,
    project_id blob not null,
    integration_id blob not null,
    received_at integer not null,
    receipts integer not null,
    heads blob not null,
    results blob not null,
    bodies blob,
    primary key (tenant_id, id),
    foreign key (tenant_id, integration_id) references integrations (tenant_id, id) on delete cascade
) strict;
create index receipts_project on receipts (tenant_id, project_id, id);
create index receipts_age on receipts (received_at) where bodies is not null;
create index deliveries_id on deliveries (tenant_id, project_id, id);
