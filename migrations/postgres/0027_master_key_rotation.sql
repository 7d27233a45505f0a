-- Rotating the master key: the one before it while values may be sealed with it, and when the processes were last asked
-- which keys they have.
alter table installation add column previous_check bytea;
alter table installation add column called_at timestamptz;
-- The running processes by what tells their keys from others.
create table key_holders (
    id uuid primary key,
    in_use bytea not null,
    other bytea,
    seen_at timestamptz not null
);
-- Finds and counts what is sealed with which key.
select sre_copilot_admit('rotation', 'integrations', 'select'), sre_copilot_admit('rotation', 'integration_tokens', 'select'),
    sre_copilot_admit('rotation', 'notification_channels', 'select'), sre_copilot_admit('rotation', 'idempotency', 'select');
