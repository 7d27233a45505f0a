-- With the id the index also gives the order in which the newest incident of a key is looked for: without it the planner read
-- the project's incidents newest first until one had the key.
drop index incidents_key;
create index incidents_key on incidents (tenant_id, project_id, incident_key, detected_at, id);
