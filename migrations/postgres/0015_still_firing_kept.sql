-- A version that does not know `still_firing` may work on this schema: the database keeps it up. The strongest lock comes
-- first; the owner, held by row-level security, would not see what such a version wrote before.
alter table incidents no force row level security;

create function incident_still_firing() returns trigger language plpgsql as $$
begin
    new.still_firing := not new.open and new.open_alert_count > 0;
    return new;
end
$$;
create trigger incidents_still_firing_kept before update of open, open_alert_count on incidents
for each row when (new.still_firing <> (not new.open and new.open_alert_count > 0))
execute function incident_still_firing();

update incidents set still_firing = not still_firing where still_firing <> (not open and open_alert_count > 0);
alter table incidents force row level security;
