-- The token itself, sealed, where its sender may sign with it instead of sending it.
alter table integration_tokens add column sealed bytea;
