-- All alerts of an incident, not only those that fire: merging, silence and flapping concern the others too, and read every
-- alert of the tenant. It is written when an alert changes its incident, the one before was whenever one fired or ended.
drop index alerts_incident;
create index alerts_incident on alerts (tenant_id, incident_id);
