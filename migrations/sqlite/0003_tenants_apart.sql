-- SQLite has no row-level security: that every statement names its tenant is the one barrier there.
select 1;
