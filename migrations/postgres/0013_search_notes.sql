-- A search finds what people wrote as well: causes, summaries and comments. The comments of an incident, one after
-- another; kept by triggers alone.
alter table incidents add column said text;
-- All words of an incident to which somebody wrote; null, and in no index, for all others. Another column than `words`,
-- which is generated: another expression would write the whole table anew.
alter table incidents add notes tsvector;

create function incident_notes() returns trigger language plpgsql as $$
begin
    new.notes := case when coalesce(new.root_cause, new.resolution_summary, new.said) is not null then
        incident_words(new.title, new.description, new.service_name, new.number, new.labels) || incident_words(
            coalesce(new.root_cause, ''), coalesce(new.resolution_summary, ''), new.said, new.number, '{}') end;
    return new;
end
$$;
create trigger incidents_notes
before update of title, description, service_name, labels, root_cause, resolution_summary, said on incidents
for each row execute function incident_notes();

create function comment_said() returns trigger language plpgsql as $$
begin
    update incidents set said = left(coalesce(said || ' ', '') || new.body, 100000)
    where tenant_id = new.tenant_id and id = new.incident_id;
    return null;
end
$$;
create trigger comments_said after insert or update of incident_id on comments
for each row execute function comment_said();

-- What was written before; the owner, held by row-level security, would not see it.
alter table incidents no force row level security;
alter table comments no force row level security;
update incidents set said = (
    select left(string_agg(body, ' ' order by created_at, id), 100000) from comments
    where comments.tenant_id = incidents.tenant_id and comments.incident_id = incidents.id)
where root_cause is not null or resolution_summary is not null or exists (select 1 from comments
    where comments.tenant_id = incidents.tenant_id and comments.incident_id = incidents.id);
alter table incidents force row level security;
alter table comments force row level security;
create index incidents_notes on incidents using gin (notes) where notes is not null;

create or replace function search_incidents(
    tenant uuid, project uuid, wanted text, states text[], severities text[], services text[], only_number bigint,
    earliest timestamptz, latest timestamptz, sort text, after_need bigint, after_at timestamptz, after_id uuid,
    most bigint
) returns setof uuid language plpgsql stable security definer set search_path from current as $$
declare
    need constant text := '(case when open then (case when state = ''detected'' then 0 else 10 end) else 20 end
        + severity_rank)';
    rule text := 'select id from incidents where tenant_id = $13 and project_id = $1 and (words @@ $2::tsquery or notes @@ $2::tsquery)';
begin
    if tenant is distinct from nullif(current_setting('app.tenant', true), '')::uuid then return; end if;
    if states is not null then rule := rule || ' and state = any($3)'; end if;
    if severities is not null then rule := rule || ' and severity = any($4)'; end if;
    if services is not null then rule := rule || ' and service_name = any($5)'; end if;
    if only_number is not null then rule := rule || ' and number = $6'; end if;
    if earliest is not null then rule := rule || ' and detected_at >= $7'; end if;
    if latest is not null then rule := rule || ' and detected_at <= $8'; end if;
    if after_id is not null then
        rule := rule || case sort
            when 'needs_me' then format(' and (%1$s > $9 or (%1$s = $9 and (detected_at, id) < ($10, $11)))', need)
            when 'detected_at' then ' and (detected_at, id) > ($10, $11)'
            else ' and (detected_at, id) < ($10, $11)' end;
    end if;
    rule := rule || case sort
        when 'needs_me' then ' order by ' || need || ', detected_at desc, id desc'
        when 'detected_at' then ' order by detected_at, id'
        else ' order by detected_at desc, id desc' end;
    return query execute rule || ' limit $12'
        using project, wanted, states, severities, services, only_number, earliest, latest, after_need, after_at,
            after_id, most, tenant;
end
$$;
