-- When the first alert began by its sender's clock, and who acknowledged. Null in what older versions write.
alter table incidents add column started_at timestamptz;
alter table incidents add column acknowledged_by text;
-- Resolved, and yet an alert of it fires. A column of its own, so that its index is written only when it changes.
alter table incidents add column still_firing boolean not null default false;

-- The owner is held by row-level security as everybody is, and would see no row.
alter table incidents no force row level security;
alter table episodes no force row level security;
alter table steps no force row level security;
update incidents set
    started_at = least(detected_at, coalesce((select min(starts_at) from episodes
        where episodes.tenant_id = incidents.tenant_id and episodes.incident_id = incidents.id), detected_at)),
    acknowledged_by = (select actor from steps
        where steps.tenant_id = incidents.tenant_id and steps.incident_id = incidents.id
        and step_type = 'state_changed' and detail ->> 'to' = 'acknowledged' order by steps.started_at limit 1)
where open;
update incidents set still_firing = true where not open and open_alert_count > 0;
alter table incidents force row level security;
alter table episodes force row level security;
alter table steps force row level security;

create index incidents_still_firing on incidents (tenant_id, project_id, detected_at, id) where still_firing;
create index incidents_acknowledged on incidents (tenant_id, project_id, acknowledged_at)
    where acknowledged_at is not null;
