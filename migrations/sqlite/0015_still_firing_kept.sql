-- A version that does not know `still_firing` may work on this schema: the database keeps it up.
create trigger incidents_still_firing_kept after update of open, open_alert_count on incidents
when new.still_firing <> (not new.open and new.open_alert_count > 0) begin
    update incidents set still_firing = not new.still_firing where tenant_id = new.tenant_id and id = new.id;
end;

-- What such a version wrote before.
update incidents set still_firing = not still_firing where still_firing <> (not open and open_alert_count > 0);
