-- Until when somebody put an incident off. Nothing that senders do writes it; what is indexed here is what has a mark, so that
-- an incident without one is in none of these.
alter table incidents add column snoozed_until timestamptz;
create index incidents_snoozed on incidents (tenant_id, project_id, severity, detected_at, id)
    where snoozed_until is not null;
create index incidents_snooze_ends on incidents (snoozed_until) where snoozed_until is not null;
create index incidents_flapping on incidents (tenant_id, project_id, state, severity, detected_at, id) where flapping;
create index incidents_gone_stale on incidents (tenant_id, project_id, state, severity, detected_at, id) where stale;

-- A version that does not know `snoozed_until` may close an incident on this schema: what is over is not put off.
create function incident_snooze_over() returns trigger language plpgsql as $$
begin
    new.snoozed_until := null;
    return new;
end
$$;
create trigger incidents_snooze_over before update of open on incidents
for each row when (new.snoozed_until is not null and not new.open) execute function incident_snooze_over();

-- The search of 0016 with marks to narrow it by, in which what was put off comes after everything else that is open. It has
-- a name of its own: the version before goes on calling the other.
create function list_incidents(
    tenant uuid, project uuid, wanted text, states text[], severities text[], services text[], only_number bigint,
    earliest timestamptz, latest timestamptz, sort text, after_need bigint, after_at timestamptz, after_id uuid,
    most bigint, owner uuid, unowned boolean, labelled jsonb, marks text[]
) returns setof uuid language plpgsql stable security definer set search_path from current as $$
declare
    need constant text := '(case when not open then 20 when snoozed_until is not null then 15
        when state = ''detected'' then 0 else 10 end + severity_rank)';
    rule text := 'select id from incidents where tenant_id = $13 and project_id = $1';
begin
    if tenant is distinct from nullif(current_setting('app.tenant', true), '')::uuid then return; end if;
    if wanted is not null then rule := rule || ' and (words @@ $2::tsquery or notes @@ $2::tsquery)'; end if;
    if states is not null then rule := rule || ' and state = any($3)'; end if;
    if severities is not null then rule := rule || ' and severity = any($4)'; end if;
    if services is not null then rule := rule || ' and service_name = any($5)'; end if;
    if only_number is not null then rule := rule || ' and number = $6'; end if;
    if earliest is not null then rule := rule || ' and detected_at >= $7'; end if;
    if latest is not null then rule := rule || ' and detected_at <= $8'; end if;
    if owner is not null then rule := rule || ' and assigned_to = $14'; end if;
    if unowned then rule := rule || ' and assigned_to is null'; end if;
    if labelled is not null then rule := rule || ' and labels @> $15'; end if;
    if 'flapping' = any(marks) then rule := rule || ' and flapping'; end if;
    if 'stale' = any(marks) then rule := rule || ' and stale'; end if;
    if 'snoozed' = any(marks) then rule := rule || ' and snoozed_until is not null'; end if;
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
            after_id, most, tenant, owner, labelled;
end
$$;
do $$
declare
    search constant regprocedure := (select oid from pg_proc where proname = 'list_incidents'
        and pronamespace = current_schema()::regnamespace);
begin
    execute format('revoke execute on function %s from public', search);
    execute format('grant execute on function %s to sre_copilot_app', search);
end
$$;
