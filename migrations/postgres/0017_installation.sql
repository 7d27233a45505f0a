-- What the database was set up with: a value derived from the master key, which tells nothing about it.
create table installation (
    id bigint primary key check (id = 1),
    key_check bytea not null
);
