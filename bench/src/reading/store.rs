//! A project's year of incidents, written as SQL.

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;

/// Incidents written by one statement.
const STEP: i64 = 50_000;

/// What a project is filled with.
pub struct Seed {
    /// Its tenant.
    pub tenant: String,
    /// The project.
    pub project: String,
    /// How many incidents, spread over a year.
    pub incidents: i64,
    /// When the year ends, in seconds since 1970.
    pub now_s: i64,
}

/// Columns that are the same on both databases, given `i` from 1 and `h`, a number below 1,000,003 that jumps.
const COLUMNS: &str = "i,
    'Rule' || (h % 40) || ' on service-' || (h % 200) * (h / 200 % 11) / 10 || ': '
        || case h % 10 when 0 then 'checkout fails' when 1 then 'payments are slow' when 2 then 'queue grows'
            when 3 then 'disk almost full' when 4 then 'errors above limit' when 5 then 'memory leaks'
            when 6 then 'certificate expires' when 7 then 'replica lags' when 8 then 'pods restart'
            else 'latency above objective' end,
    'Above its limit for 5 minutes.' || case when i % 20011 = 7 then ' Seen with quicksand.' else '' end
        || ' See https://runbooks.example/rule-' || (h % 40),
    'service-' || ((h % 200) * (h / 200 % 11) / 10),
    case when h % 100 < 5 then 'critical' when h % 100 < 20 then 'high' when h % 100 < 70 then 'medium' else 'low' end,
    case when h % 100 < 5 then 0 when h % 100 < 20 then 1 when h % 100 < 70 then 2 else 3 end,
    case when OPEN then case h % 5 when 0 then 'detected' when 1 then 'acknowledged' when 2 then 'investigating'
        when 3 then 'mitigated' else 'inconclusive' end when h % 10 = 0 then 'learned' else 'resolved' end,
    OPEN, 'alertmanager', 1 + h % 5, case when OPEN then 1 else 0 end";

/// The rest of what is written, in the order of [`COLUMNS`].
const NAMES: &str = "number, title, description, service_name, severity, severity_rank, state, open, source,
    alert_count, open_alert_count, tenant_id, project_id, id, labels, detected_at, acknowledged_at, resolved_at,
    created_at, updated_at, version";

/// Whether an incident is open: one in twenty of the newest.
const OPEN: &str = "(i > LAST - 20000 and i % 20 = 0)";

impl Seed {
    /// Writes everything and lets the database look at it.
    ///
    /// # Errors
    /// When it refuses.
    pub fn fill(&self, url: &str) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            if url.starts_with("sqlite:") {
                self.fill_sqlite(url).await
            } else {
                self.fill_postgres(url).await
            }
        })
    }

    fn columns(&self) -> String {
        COLUMNS.replace("OPEN", OPEN).replace("LAST", &self.incidents.to_string())
    }

    /// Microseconds of incident `i` since 1970.
    fn micros(&self) -> String {
        let (year, count) = (365 * 86_400, self.incidents);
        format!("({} + ({year} * i / {count})) * 1000000 + i % 1000000", self.now_s - year)
    }

    async fn fill_sqlite(&self, url: &str) -> anyhow::Result<()> {
        let mut open = SqliteConnection::connect(url).await?;
        let blob = |id: &str| format!("x'{}'", id.replace('-', ""));
        let (tenant, project, columns, micros) =
            (blob(&self.tenant), blob(&self.project), self.columns(), self.micros());
        for from in (0..self.incidents).step_by(STEP as usize) {
            let (first, last) = (from + 1, (from + STEP).min(self.incidents));
            let text = format!(
                "with recursive each(i) as (select {first} union all select i + 1 from each where i < {last}),
                 jump as (select i, i * 7919 % 1000003 as h, {micros} as at from each)
                 insert into incidents ({NAMES})
                 select {columns}, {tenant}, {project},
                     unhex(printf('%012x7%03x8%015x', at / 1000, i % 4096, i)),
                     json_object('alertname', 'Rule' || (h % 40), 'cluster', 'eu-' || (h % 3), 'region', 'zone-' || (h % 7)),
                     at, at + 60000000 * (1 + h % 30), at + 60000000 * (31 + h % 90), at, at, 3
                 from jump;
                 insert into steps (tenant_id, id, incident_id, step_type, status, started_at, completed_at, detail)
                 select tenant_id, id, id, 'detected', 'completed', detected_at, detected_at, '{{}}' from incidents
                 where tenant_id = {tenant} and project_id = {project} and number between {first} and {last}"
            );
            sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut open).await?;
        }
        let done = format!(
            "update projects set last_incident_number = {} where tenant_id = {tenant} and id = {project};
             pragma wal_checkpoint(truncate)",
            self.incidents
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(done)).execute(&mut open).await?;
        Ok(open.close().await?)
    }

    async fn fill_postgres(&self, url: &str) -> anyhow::Result<()> {
        let mut open = PgConnection::connect(url).await?;
        let (tenant, project) = (&self.tenant, &self.project);
        let (columns, micros) = (self.columns(), self.micros());
        for from in (0..self.incidents).step_by(STEP as usize) {
            let (first, last) = (from + 1, (from + STEP).min(self.incidents));
            let text = format!(
                "select set_config('app.tenant', '{tenant}', false);
                 with each as (select i::bigint from generate_series({first}, {last}) i),
                 jump as (select i, i * 7919 % 1000003 as h, {micros} as at from each),
                 dated as (select *, timestamptz 'epoch' + at * interval '1 microsecond' as moment from jump)
                 insert into incidents ({NAMES})
                 select {columns}, '{tenant}', '{project}',
                     (lpad(to_hex(at / 1000), 12, '0') || '7' || lpad(to_hex(i % 4096), 3, '0') || '8'
                         || lpad(to_hex(i), 15, '0'))::uuid,
                     jsonb_build_object('alertname', 'Rule' || (h % 40), 'cluster', 'eu-' || (h % 3), 'region', 'zone-' || (h % 7)),
                     moment, moment + interval '1 minute' * (1 + h % 30), moment + interval '1 minute' * (31 + h % 90),
                     moment, moment, 3
                 from dated;
                 insert into steps (tenant_id, id, incident_id, step_type, status, started_at, completed_at, detail)
                 select tenant_id, id, id, 'detected', 'completed', detected_at, detected_at, '{{}}' from incidents
                 where tenant_id = '{tenant}' and project_id = '{project}' and number between {first} and {last}"
            );
            sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut open).await?;
        }
        let done = format!(
            "update projects set last_incident_number = {} where tenant_id = '{tenant}' and id = '{project}'",
            self.incidents
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(done)).execute(&mut open).await?;
        sqlx::raw_sql("vacuum analyze").execute(&mut open).await?;
        Ok(open.close().await?)
    }
}
