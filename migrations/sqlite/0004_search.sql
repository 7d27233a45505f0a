-- Every filter of the list is a seek: the conditions first, then the order.
create index incidents_state on incidents (tenant_id, project_id, state, severity, detected_at, id);
create index incidents_service on incidents (tenant_id, project_id, service_name, state, severity, detected_at, id);

-- A small number for the project, so that an incident's place in the search index is one integer: its shelf
-- in the upper bits, its number in the lower 36. It must outlive VACUUM, which a hidden rowid does not.
alter table projects add column shelf integer;
update projects set shelf = (
    select count(*) from projects before where (before.tenant_id, before.id) <= (projects.tenant_id, projects.id));
create unique index projects_shelf on projects (shelf);
create trigger projects_shelf after insert on projects when new.shelf is null begin
    update projects set shelf = (select coalesce(max(shelf), 0) + 1 from projects)
    where tenant_id = new.tenant_id and id = new.id;
end;

-- The words of every incident. A word is ASCII letters (their case folded), digits and whatever is not ASCII, as
-- in the other database. What can be filtered is a word too, marked with ¤, so that the newest matches are
-- found in one walk along the index.
create virtual table incident_words using fts5 (
    words, content = '', contentless_delete = 1, detail = none, tokenize = "ascii", prefix = '1 2 3');

create view incident_texts as
select incidents.tenant_id, incidents.id, projects.shelf * 68719476736 + incidents.number as place,
    substr(title || ' ' || description || ' ' || coalesce(service_name, '') || ' ' || number || ' '
        || coalesce((select group_concat(key || ' ' || value, ' ') from json_each(labels)), ''), 1, 100000)
    || ' ¤state' || state || ' ¤severity' || severity || ' ¤service' || hex(coalesce(service_name, '')) as words
from incidents join projects on projects.tenant_id = incidents.tenant_id and projects.id = incidents.project_id;

insert into incident_words (rowid, words) select place, words from incident_texts order by place;

create trigger incidents_words_added after insert on incidents begin
    insert into incident_words (rowid, words)
    select place, words from incident_texts where tenant_id = new.tenant_id and id = new.id;
end;
create trigger incidents_words_changed
after update of title, description, service_name, labels, state, severity on incidents
when (old.title, old.description, old.labels, old.state, old.severity)
    <> (new.title, new.description, new.labels, new.state, new.severity)
    or old.service_name is not new.service_name
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
