-- A search finds an incident by the words of every alert that joined it, not of the first alone. Here are those that its own
-- texts lack; they are written only when there are new ones.
alter table incidents add column alert_words text;

drop trigger incidents_words_added;
drop trigger incidents_words_changed;
drop trigger incidents_words_gone;
drop view incident_texts;

create view incident_texts as
select incidents.tenant_id, incidents.id, projects.shelf * 68719476736 + incidents.number as place,
    substr(title || ' ' || description || ' ' || coalesce(service_name, '') || ' ' || number || ' '
        || coalesce((select group_concat(key || ' ' || value, ' ') from json_each(labels)), '') || ' '
        || coalesce(root_cause, '') || ' ' || coalesce(resolution_summary, '') || ' ' || coalesce(said, '') || ' '
        || coalesce(alert_words, ''), 1, 100000)
    || ' ¤state' || state || ' ¤severity' || severity || ' ¤service' || hex(coalesce(service_name, ''))
    || coalesce(' ¤owner' || hex(assigned_to), '') as words
from incidents join projects on projects.tenant_id = incidents.tenant_id and projects.id = incidents.project_id;

create trigger incidents_words_added after insert on incidents begin
    insert into incident_words (rowid, words)
    select place, words from incident_texts where tenant_id = new.tenant_id and id = new.id;
end;
create trigger incidents_words_changed
after update of title, description, service_name, labels, state, severity, root_cause, resolution_summary, said,
    assigned_to, alert_words
on incidents
when (old.title, old.description, old.labels, old.state, old.severity)
    <> (new.title, new.description, new.labels, new.state, new.severity)
    or old.service_name is not new.service_name or old.root_cause is not new.root_cause
    or old.resolution_summary is not new.resolution_summary or old.said is not new.said
    or old.assigned_to is not new.assigned_to or old.alert_words is not new.alert_words
begin
    delete from incident_words where rowid = (
        select place from incident_texts where tenant_id = new.tenant_id and id = new.id);
    insert into incident_words (rowid, words)
    select place, words from incident_texts where tenant_id = new.tenant_id and id = new.id;
end;
create trigger incidents_words_gone before delete on incidents begin
    delete from incident_words where rowid = (
        select place from incident_texts where tenant_id = old.tenant_id and id = old.id);
end;
