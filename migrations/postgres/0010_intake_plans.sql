-- With the id the index also gives the order in which the newest incident of a key is looked for: without it the planner read
-- the project's incidents newest first until one had the key.
drop index incidents_key;
create index incidents_key on incidents (tenant_id, project_id, incident_key, detected_at, id);
-- Room on each page for the next version of a row: a count that changes then touches none of the indexes.
alter table incidents set (fillfactor = 70);
alter table alerts set (fillfactor = 80);
alter table projects set (fillfactor = 50);
alter table streams set (fillfactor = 50);
