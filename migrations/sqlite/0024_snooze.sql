-- Until when somebody put an incident off. Nothing that senders do writes it; what is indexed here is what has a mark, so that
-- an incident without one is in none of these.
alter table incidents add column snoozed_until integer;
create index incidents_snoozed on incidents (tenant_id, project_id, severity, detected_at, id)
    where snoozed_until is not null;
create index incidents_snooze_ends on incidents (snoozed_until) where snoozed_until is not null;
create index incidents_flapping on incidents (tenant_id, project_id, state, severity, detected_at, id) where flapping;
create index incidents_gone_stale on incidents (tenant_id, project_id, state, severity, detected_at, id) where stale;

-- A version that does not know `snoozed_until` may close an incident on this schema: what is over is not put off.
create trigger incidents_snooze_over after update of open on incidents
when new.snoozed_until is not null and not new.open begin
    update incidents set snoozed_until = null where tenant_id = new.tenant_id and id = new.id;
end;
