-- Headers that are given again with a stored answer, by name. Null in what older versions write.
alter table idempotency add column headers jsonb;
