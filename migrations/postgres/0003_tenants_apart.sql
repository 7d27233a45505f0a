-- The second barrier between tenants. Every transaction takes on a role that owns nothing and says whose rows it is
-- about (app.tenant), or which one look-up across tenants it is for (app.across); row-level security shows it no other.

do $$
begin
    if not exists (select 1 from pg_roles where rolname = 'sre_copilot_app') then
        create role sre_copilot_app nologin;
    end if;
exception
    -- Another database of this server was first.
    when duplicate_object or unique_violation then null;
end
$$;

do $$
begin
    if not pg_has_role(current_user, 'sre_copilot_app', 'member') then
        execute format('grant sre_copilot_app to %I', current_user);
    end if;
end
$$;

-- Gives a table with a tenant its barrier; called after every migration, so that no later table can be forgotten.
create function sre_copilot_protect() returns void language plpgsql set search_path = public, pg_temp as $$
declare
    one record;
begin
    grant usage on schema public to sre_copilot_app;
    for one in
        select c.oid::regclass as name, c.relname as bare, a.attname is not null as owned
        from pg_class c
        left join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relname <> '_sqlx_migrations'
    loop
        if not has_table_privilege('sre_copilot_app', one.name, 'select, insert, update, delete') then
            execute format('grant select, insert, update, delete on %s to sre_copilot_app', one.name);
        end if;
        if one.owned and not exists (
            select 1 from pg_policies where schemaname = 'public' and tablename = one.bare and policyname = 'tenant')
        then
            execute format('alter table %s enable row level security', one.name);
            execute format('alter table %s force row level security', one.name);
            -- After a transaction that set it the setting is empty, not absent. The sub-select runs once a statement.
            execute format(
                'create policy tenant on %s using (tenant_id = (select nullif(current_setting(''app.tenant'', true), '''')::uuid))',
                one.name);
        end if;
    end loop;
end
$$;

-- Admits a transaction marked for `look_up` to a table's rows of every tenant, for these commands alone.
create function sre_copilot_admit(look_up text, on_table regclass, variadic commands text[]) returns void
language plpgsql set search_path = public, pg_temp as $$
declare
    command text;
begin
    foreach command in array commands loop
        execute format(
            'create policy %I on %s for %s to sre_copilot_app using ((select current_setting(''app.across'', true)) = %L)',
            'across_' || look_up || '_' || command, on_table, command, look_up);
    end loop;
end
$$;

revoke execute on function sre_copilot_protect(), sre_copilot_admit(text, regclass, text[]) from public;

select sre_copilot_protect();

-- The answer of these is the tenant.
select sre_copilot_admit('registration', 'users', 'select');
select sre_copilot_admit('sign_in', 'users', 'select');
select sre_copilot_admit('operator', 'users', 'select'), sre_copilot_admit('operator', 'tenants', 'select');
select sre_copilot_admit('api_key', 'api_keys', 'select'), sre_copilot_admit('api_key', 'projects', 'select');
select sre_copilot_admit('invitation', 'invitations', 'select'), sre_copilot_admit('invitation', 'projects', 'select'),
    sre_copilot_admit('invitation', 'users', 'select');
select sre_copilot_admit('webhook', 'integrations', 'select'),
    sre_copilot_admit('webhook', 'integration_tokens', 'select');
-- These look for work that is due; it is done in a transaction of its tenant.
select sre_copilot_admit('sweep', 'alerts', 'select'), sre_copilot_admit('sweep', 'incidents', 'select'),
    sre_copilot_admit('sweep', 'integrations', 'select');
select sre_copilot_admit('jobs', 'jobs', 'select', 'update');
-- Retention is the operator's, over every tenant.
select sre_copilot_admit('housekeeping', 'sessions', 'select', 'delete'),
    sre_copilot_admit('housekeeping', 'idempotency', 'select', 'delete');
select sre_copilot_admit('bodies', 'deliveries', 'select', 'update');
select sre_copilot_admit('events', 'events', 'select', 'delete');
