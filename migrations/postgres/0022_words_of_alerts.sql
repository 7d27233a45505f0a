-- A search finds an incident by the words of every alert that joined it, not of the first alone. Here are those that its own
-- texts lack; they are written only when there are new ones.
alter table incidents add column alert_words text;

create or replace function incident_notes() returns trigger language plpgsql as $$
begin
    new.notes := case when coalesce(new.root_cause, new.resolution_summary, new.said, new.alert_words) is not null then
        incident_words(new.title, new.description, new.service_name, new.number, new.labels) || incident_words(
            coalesce(new.root_cause, ''), coalesce(new.resolution_summary, ''),
            concat_ws(' ', new.said, new.alert_words), new.number, '{}') end;
    return new;
end
$$;
drop trigger incidents_notes on incidents;
create trigger incidents_notes
before update of title, description, service_name, labels, root_cause, resolution_summary, said, alert_words on incidents
for each row execute function incident_notes();
