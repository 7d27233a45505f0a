//! Every metric of the product. No label names an organisation, a project or a person: each value is a series for good.

use Kind::{Counter, Gauge, Histogram};

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Rises; at 0 from the start wherever all values of its labels are known, so that the first of anything is an increase.
    Counter,
    /// Goes up and down; absent where it means nothing.
    Gauge,
    /// Counts by size, with these upper bounds.
    Histogram(&'static [f64]),
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What it is counted in.
    pub unit: &'static str,
    /// What it says, in a sentence.
    pub help: &'static str,
    /// Its labels, each with the values that are there from the start; none where the values are not known before.
    pub labels: &'static [(&'static str, &'static [&'static str])],
}

/// Upper bounds for what people and senders wait for, up to what a model may take, in seconds.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0,
    300.0,
];

/// Upper bounds for how many are taken together.
const COUNTS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0];

/// The parts that a gateway may forward to.
const SERVICES: &[&str] = &["auth", "incident", "ai", "integration", "websocket"];

/// All of them, by what they are about.
pub const TABLE: &[Metric] = &[
    // The process.
    metric("sre_copilot_build_info", Gauge, "", "Always 1; the labels say what runs.").by(&[
        ("version", &[]),
        ("database", &[]),
        ("services", &[]),
    ]),
    metric("process_start_time_seconds", Gauge, "seconds", "When the process started, as a Unix time."),
    metric("process_cpu_seconds_total", Counter, "seconds", "CPU time that was used, user and system."),
    metric("process_resident_memory_bytes", Gauge, "bytes", "Memory that is resident."),
    metric("process_virtual_memory_bytes", Gauge, "bytes", "Address space that is in use."),
    metric("process_virtual_memory_max_bytes", Gauge, "bytes", "Address space that may be in use."),
    metric("process_threads", Gauge, "", "Threads."),
    metric("process_open_fds", Gauge, "", "File descriptors that are open."),
    metric("process_max_fds", Gauge, "", "File descriptors that may be open."),
    // Requests.
    metric(
        "sre_copilot_http_request_duration_seconds",
        Histogram(SECONDS),
        "seconds",
        "Time to answer a request; the route is its pattern.",
    )
    .by(&[("method", &[]), ("route", &[]), ("status", &[])]),
    metric(
        "sre_copilot_internal_errors_total",
        Counter,
        "",
        "Requests that failed by a defect; the log says which.",
    ),
    metric(
        "sre_copilot_panics_total",
        Counter,
        "",
        "Panics that were caught, in requests and in background work.",
    ),
    metric(
        "sre_copilot_rate_limited_total",
        Counter,
        "",
        "API requests that were too many, and who counted them.",
    )
    .by(&[("rule", &["user", "tenant", "source", "search", "analysis"]), ("by", &["process", "redis"])]),
    metric(
        "sre_copilot_gateway_failures_total",
        Counter,
        "",
        "Requests that no address of a service elsewhere answered.",
    )
    .by(&[("service", SERVICES)]),
    // Webhooks.
    metric("sre_copilot_alerts_total", Counter, "", "Alerts of stored webhooks, by what became of them.").by(
        &[(
            "outcome",
            &["opened", "attached", "repeated", "resolved", "reopened", "held", "suppressed", "quarantined"],
        )],
    ),
    metric(
        "sre_copilot_webhook_refusals_total",
        Counter,
        "",
        "Webhook requests that were refused, by the status that was answered.",
    )
    .by(&[("status", &["400", "401", "403", "404", "413", "415", "422", "429", "503"])]),
    metric(
        "sre_copilot_webhook_last_accepted_timestamp_seconds",
        Gauge,
        "seconds",
        "When a webhook was last accepted, as a Unix time; until then, when the service started.",
    ),
    metric("sre_copilot_commit_requests", Histogram(COUNTS), "", "Webhook requests that one commit stored."),
    metric("sre_copilot_commit_waiting_requests", Gauge, "", "Webhook requests that wait for their commit."),
    metric(
        "sre_copilot_webhook_in_flight_bytes",
        Gauge,
        "bytes",
        "Room taken by bodies of webhooks being received.",
    ),
    // The spool.
    metric(
        "sre_copilot_spool_requests",
        Gauge,
        "",
        "Webhook requests that wait on the disk for the database.",
    ),
    metric("sre_copilot_spool_bytes", Gauge, "bytes", "What they take."),
    metric(
        "sre_copilot_spool_capacity_bytes",
        Gauge,
        "bytes",
        "What they may take; absent where there is no spool.",
    ),
    metric("sre_copilot_spooled_total", Counter, "", "Webhook requests that were put into the spool."),
    metric("sre_copilot_spool_drained_total", Counter, "", "Webhook requests that were taken out of it."),
    metric("sre_copilot_spool_full_total", Counter, "", "Webhook requests that found no room in it."),
    metric(
        "sre_copilot_spool_failures_total",
        Counter,
        "",
        "Times that the disk refused to keep webhook requests.",
    ),
    metric(
        "sre_copilot_spool_refused_total",
        Counter,
        "",
        "Webhook requests that were kept and then not applied; their receipts say why.",
    ),
    metric(
        "sre_copilot_spool_damaged_total",
        Counter,
        "",
        "Files of the spool, or requests in one, that can't be read.",
    ),
    // The database.
    metric(
        "sre_copilot_database_errors_total",
        Counter,
        "",
        "Answers that the database, or its disk, failed to give.",
    ),
    metric(
        "sre_copilot_database_begin_duration_seconds",
        Histogram(SECONDS),
        "seconds",
        "Time to begin a transaction: mostly the wait for a connection.",
    ),
    metric(
        "sre_copilot_database_connections",
        Gauge,
        "",
        "Connections that are open, by whether they are in use.",
    )
    .by(&[("pool", &["postgresql", "writer", "readers"]), ("state", &["used", "idle"])]),
    metric("sre_copilot_database_connections_max", Gauge, "", "Connections that may be open.")
        .by(&[("pool", &["postgresql", "writer", "readers"])]),
    metric(
        "sre_copilot_queue_jobs",
        Gauge,
        "",
        "Jobs that are due and nobody works on, counted up to 10,000.",
    )
    .by(&[("queue", &["analysis", "question", "relay"])]),
    metric(
        "sre_copilot_queue_oldest_age_seconds",
        Gauge,
        "seconds",
        "How long the oldest of them has been due.",
    )
    .by(&[("queue", &["analysis", "question", "relay"])]),
    // Notifications.
    metric(
        "sre_copilot_notifications_total",
        Counter,
        "",
        "Messages to notification channels, by what became of an attempt.",
    )
    .by(&[
        ("kind", &["slack", "pagerduty", "webhook"]),
        ("outcome", &["sent", "failed", "retried", "dropped"]),
    ]),
    metric(
        "sre_copilot_notifications_waiting",
        Gauge,
        "",
        "Messages that wait to be sent, of all processes, counted up to 10,000.",
    ),
    metric(
        "sre_copilot_notifications_oldest_age_seconds",
        Gauge,
        "seconds",
        "How long the oldest of them has waited.",
    ),
    // Analyses.
    metric(
        "sre_copilot_analyses_total",
        Counter,
        "",
        "Analyses that ended; `merged` when their incident was merged into another meanwhile.",
    )
    .by(&[
        ("status", &["completed", "inconclusive", "failed", "merged"]),
        ("engine", &["statistical", "llm"]),
    ]),
    metric(
        "sre_copilot_analysis_attempts_failed_total",
        Counter,
        "",
        "Attempts at an analysis that failed by our fault.",
    ),
    metric("sre_copilot_evidence_queries_total", Counter, "", "Queries for evidence, by what came of them.")
        .by(&[(
            "outcome",
            &[
                "answered",
                "unreachable",
                "timeout",
                "too-large",
                "not-allowed",
                "query",
                "credentials",
                "not-prometheus",
            ],
        )]),
    // The model.
    metric(
        "sre_copilot_model_calls_total",
        Counter,
        "",
        "Calls of the language model, by what came of them.",
    )
    .by(&[(
        "outcome",
        &[
            "completed",
            "cached",
            "config",
            "quota",
            "rate-limited",
            "content-filter",
            "refused",
            "truncated",
            "bad-output",
            "too-large",
            "timeout",
            "unavailable",
        ],
    )]),
    metric(
        "sre_copilot_model_not_asked_total",
        Counter,
        "",
        "Calls of the language model that were not made, and why.",
    )
    .by(&[("reason", &["budget", "unlisted-price", "calls", "resting", "turned-off", "queue-full"])]),
    metric("sre_copilot_model_misconfigured_total", Counter, "", "Calls that were refused as configured."),
    metric("sre_copilot_model_tokens_total", Counter, "", "Tokens as the endpoint counted them.")
        .by(&[("direction", &["prompt", "completion"])]),
    metric(
        "sre_copilot_model_cost_micro_usd_total",
        Counter,
        "millionths of a USD",
        "What calls cost, or count as where no price is listed.",
    ),
    metric(
        "sre_copilot_model_call_duration_seconds",
        Histogram(SECONDS),
        "seconds",
        "Time until the language model had answered or failed, repeats included.",
    ),
    // Redis and live events.
    metric("sre_copilot_redis_up", Gauge, "", "1 while Redis answers; absent where none is configured."),
    metric("sre_copilot_redis_failures_total", Counter, "", "Questions that Redis did not answer.")
        .by(&[("kind", &[])]),
    metric("sre_copilot_wakes_total", Counter, "", "Wake-ups between processes.")
        .by(&[("direction", &["told", "heard", "unreadable"])]),
    metric("sre_copilot_events_relayed_total", Counter, "", "Events that were published on Redis."),
    metric(
        "sre_copilot_feed_events_total",
        Counter,
        "",
        "Events that were read for sockets, and what led to it.",
    )
    .by(&[("noticed_by", &["start", "wake", "poll"])]),
    metric("sre_copilot_sockets", Gauge, "", "WebSockets that are open."),
    metric(
        "sre_copilot_sockets_overflowed_total",
        Counter,
        "",
        "WebSockets that were closed because they read too slowly.",
    ),
];

const fn metric(name: &'static str, kind: Kind, unit: &'static str, help: &'static str) -> Metric {
    Metric { name, kind, unit, help, labels: &[] }
}

impl Metric {
    const fn by(self, labels: &'static [(&'static str, &'static [&'static str])]) -> Self {
        Self { labels, ..self }
    }
}
