-- Every filter of the list is a seek: the conditions first, then the order.
create index incidents_state on incidents (tenant_id, project_id, state, severity, detected_at, id);
create index incidents_service on incidents (tenant_id, project_id, service_name, state, severity, detected_at, id);

-- A small number for the project; the other database's search index is ordered by it.
alter table projects add column shelf bigint generated always as identity;

-- The words of an incident. A word is ASCII letters (their case folded), digits and whatever is not ASCII, as in
-- the other database, which is why this is not one of the text search configurations.
create function incident_words(title text, description text, service_name text, number bigint, labels jsonb)
returns tsvector language sql immutable parallel safe cost 200 as $$
    select coalesce(array_to_tsvector(array_agg(distinct left(word, 64))), '') from unnest(string_to_array(translate(
        left(title || ' ' || description || ' ' || coalesce(service_name, '') || ' ' || number || ' '
            || coalesce((select string_agg(key || ' ' || value, ' ') from jsonb_each_text(labels)), ''), 100000),
        E'ABCDEFGHIJKLMNOPQRSTUVWXYZ\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f !"#$%&''()*+,-./:;<=>?@[\\]^_`{|}~\x7f',
        'abcdefghijklmnopqrstuvwxyz                                                                 '), ' ')) word where word <> ''
$$;
-- Kept beside the row, since a walk in the list's own order looks at it row by row. No code knows it.
alter table incidents add words tsvector
generated always as (incident_words(title, description, service_name, number, labels)) stored;
create index incidents_words on incidents using gin (words) with (gin_pending_list_limit = 512);
-- The planner learns from samples how common each word is.
analyze incidents;

-- The newest (or oldest, or most needed) incidents of the transaction's tenant that have all the words.
--
-- Row-level security keeps a search operator away from the index, since it could leak what it is compared with;
-- so this runs as the tables' owner and holds the tenant itself. What is null does not narrow the search.
create function search_incidents(
    tenant uuid, project uuid, wanted text, states text[], severities text[], services text[], only_number bigint,
    earliest timestamptz, latest timestamptz, sort text, after_need bigint, after_at timestamptz, after_id uuid,
    most bigint
) returns setof uuid language plpgsql stable security definer set search_path from current as $$
declare
    need constant text := '(case when open then (case when state = ''detected'' then 0 else 10 end) else 20 end
        + severity_rank)';
    rule text := 'select id from incidents where tenant_id = $13 and project_id = $1 and words @@ $2::tsquery';
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
do $$
declare
    search constant regprocedure := (select oid from pg_proc where proname = 'search_incidents'
        and pronamespace = current_schema()::regnamespace);
begin
    execute format('revoke execute on function %s from public', search);
    execute format('grant execute on function %s to sre_copilot_app', search);
end
$$;
-- The owner is held by row-level security as everybody is; this lets the function above see its rows.
create policy incidents_search on incidents for select to current_user using (true);
