-- Resolutions that found nothing open, each as [starts_at, ends_at, accepted at]. The columns tomb_starts_at,
-- tomb_ends_at and tomb_at, which held only the last of them, are no longer read: a process of the version before
-- may still write them while it is replaced.
alter table alerts add column tombs text not null default '[]';

-- Spooled requests that are stored: whoever drains the same file again passes over them. A row goes when its file is gone.
create table spooled (
    tenant_id blob not null,
    id blob not null,
    stored_at integer not null,
    primary key (tenant_id, id)
) strict;
