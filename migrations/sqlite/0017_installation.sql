-- What the database was set up with: a value derived from the master key, which tells nothing about it.
create table installation (
    id integer primary key check (id = 1),
    key_check blob not null
);
