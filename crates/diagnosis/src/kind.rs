//! What a metric measures, told from its name.

use serde::{Deserialize, Serialize};

/// What a metric measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Duration of requests or of parts of them.
    Latency,
    /// Errors: a count, a rate or a share.
    Errors,
    /// Share of requests without error.
    Success,
    /// Requests.
    Traffic,
    /// Processor use.
    Cpu,
    /// Memory use.
    Memory,
    /// How full a bounded resource is: pools, queues, limits, throttling.
    Saturation,
    /// Files, disks, system calls, sockets, threads.
    Io,
    /// Bytes and packets.
    Network,
    /// Calls or spans a request.
    CallPattern,
    /// Log lines and log patterns.
    Log,
    /// Anything else: shown, never counted as evidence.
    Other,
}

impl Kind {
    /// The kind of a metric such as `cpu_rate` or `latency_p90_to:cart`: its first word decides, and where that
    /// word means nothing, the others do.
    #[must_use]
    pub fn of_metric(metric: &str) -> Self {
        match family(metric) {
            "cpu" => Self::Cpu,
            "mem" | "memory" => Self::Memory,
            "syscall" | "fs" | "disk" | "diskio" | "socket" | "threads" | "io" => Self::Io,
            "latency" | "gap" | "duration" => Self::Latency,
            "success" | "availability" => Self::Success,
            "error" | "errors" => Self::Errors,
            "workload" | "requests" | "load" => Self::Traffic,
            "net" | "network" => Self::Network,
            "calls" | "spans" => Self::CallPattern,
            "log" | "logs" => Self::Log,
            "saturation" | "queue" | "pool" | "connections" | "inflight" => Self::Saturation,
            "node" => Self::Other, // the machine under the container: shared by its neighbours, so it blames nobody
            _ => Self::of_words(metric),
        }
    }

    /// The kind of a free name, such as an alert's or an exporter's: `container_cpu_usage`, `HighErrorRate`.
    #[must_use]
    pub fn of_words(name: &str) -> Self {
        let own = name.split(':').next().unwrap_or(name);
        let words = words(own);
        let says = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
        WORDS.iter().find(|(_, known)| says(known)).map_or(Self::Other, |(kind, _)| *kind)
    }
}

/// Words that tell a kind, the more telling ones first: `request_errors` are errors, not requests.
const WORDS: [(Kind, &[&str]); 10] = [
    (Kind::Success, &["success", "availability", "available"]),
    (
        Kind::Errors,
        &["error", "errors", "failure", "failures", "failed", "5xx", "4xx", "exceptions", "fail", "drop"],
    ),
    (
        Kind::Latency,
        &["latency", "duration", "slow", "p50", "p75", "p90", "p95", "p99", "rt", "delay", "response"],
    ),
    (
        Kind::Saturation,
        &[
            "throttled",
            "throttling",
            "queue",
            "pool",
            "saturation",
            "saturated",
            "backlog",
            "lag",
            "inflight",
            "connections",
            "waiting",
            "pending",
            "full",
        ],
    ),
    (Kind::Memory, &["mem", "memory", "rss", "oom", "heap", "cache", "swap"]),
    (Kind::Cpu, &["cpu", "load1", "load5"]),
    (Kind::Network, &["net", "network", "packets", "receive", "transmit", "tcp", "bytes", "rx", "tx"]),
    (Kind::Io, &["fs", "disk", "diskio", "io", "iops", "inode", "threads", "fds", "sockets", "filesystem"]),
    (Kind::Log, &["log", "logs", "lines"]),
    (
        Kind::Traffic,
        &["qps", "rps", "requests", "request", "traffic", "workload", "rate", "throughput", "calls"],
    ),
];

/// The family of a metric: its name up to the first `_`, so that `cpu_rate` and `cpu` are both `cpu`.
#[must_use]
pub fn family(metric: &str) -> &str {
    metric.split('_').next().unwrap_or(metric)
}

/// Lower-case words of a name in snake, kebab, dotted or camel case.
fn words(name: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut after_lower = false;
    for c in name.chars() {
        let ends = !c.is_alphanumeric() || (c.is_uppercase() && after_lower);
        if ends && !word.is_empty() {
            out.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase() || c.is_numeric();
    }
    if !word.is_empty() {
        out.push(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn names_tell_kinds() {
        let table = [
            ("cpu_rate", Kind::Cpu),
            ("mem", Kind::Memory),
            ("latency_p50_to:errors", Kind::Latency),
            ("availability_avg", Kind::Success),
            ("errors_log", Kind::Errors),
            ("node_cpu", Kind::Other),
            ("container_cpu_usage", Kind::Cpu),
            ("HighErrorRate", Kind::Errors),
            ("http_request_duration", Kind::Latency),
            ("dest_qps", Kind::Traffic),
            ("docker_memory_stats_rss", Kind::Memory),
            ("src_success_rate", Kind::Success),
            ("db_pool_in_use", Kind::Saturation),
            ("whatever", Kind::Other),
        ];
        for (name, kind) in table {
            assert_eq!(Kind::of_metric(name), kind, "{name}");
        }
    }
}
