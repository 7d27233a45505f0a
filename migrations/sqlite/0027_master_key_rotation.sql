-- Rotating the master key: the one before it while values may be sealed with it, and when the processes were last asked
-- which keys they have.
alter table installation add column previous_check blob;
alter table installation add column called_at integer;
-- The running processes by what tells their keys from others.
create table key_holders (
    id blob primary key,
    in_use blob not null,
    other blob,
    seen_at integer not null
) strict;
