//! What a metric measures, told from its name.

use serde::{Deserialize, Serialize};

use crate::vocabulary::{REQUESTS, TIMES, WORDS};

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
    /// The kind of a metric such as `cpu_rate` or `latency_p90_to:cart`: its first word decides where it is plain, else all
    /// words do, as in [`Kind::of_words`].
    #[must_use]
    pub fn of_metric(metric: &str) -> Self {
        match family(metric) {
            "cpu" => Self::Cpu,
            "mem" | "memory" => Self::Memory,
            "syscall" => Self::Io,
            "latency" | "gap" => Self::Latency,
            "success" | "availability" => Self::Success,
            "error" | "errors" => Self::Errors,
            "spans" => Self::CallPattern,
            "log" | "logs" => Self::Log,
            "node" => Self::Other, // the machine under the container: shared by its neighbours, so it blames nobody
            "calls" => or(Self::of_words(metric), Self::CallPattern),
            "workload" | "load" => or(Self::of_words(metric), Self::Traffic),
            "net" | "network" => or(Self::of_words(metric), Self::Network),
            "fs" | "disk" | "diskio" | "io" => or(Self::of_words(metric), Self::Io),
            _ => Self::of_words(metric),
        }
    }

    /// The kind of a free name, such as an alert's or an exporter's: `container_cpu_usage`, `HighErrorRate`,
    /// `http.server.request.duration`. The naming of Prometheus' exporters, Istio, Envoy, OpenTelemetry and Micrometer is
    /// known; what tells nothing is [`Kind::Other`].
    #[must_use]
    pub fn of_words(name: &str) -> Self {
        let own = name.split(':').next().unwrap_or(name);
        let words = words(own);
        let says = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
        let ends = |known: &[&str]| words.last().is_some_and(|word| known.contains(&word.as_str()));
        if ends(&["bucket"]) {
            return Self::Other; // cumulative counts of a histogram, of any of its bounds
        }
        if ends(&["up"]) {
            return Self::Success;
        }
        if says(&["load"]) && says(&["average", "avg", "1", "5", "15", "1m", "5m", "15m"]) {
            return Self::Cpu;
        }
        let timed = says(&TIMES) && says(&REQUESTS) && !says(&["per"]);
        let kind = WORDS.iter().find(|(_, known)| says(known)).map_or(Self::Other, |(kind, _)| *kind);
        match kind {
            // the number of what a histogram measured
            Self::Latency if ends(&["count"]) => Self::Traffic,
            Self::Latency if says(&["bytes", "size"]) => Self::Network,
            Self::Network | Self::Io | Self::Log | Self::Traffic | Self::Other if timed => {
                if ends(&["count"]) { Self::Traffic } else { Self::Latency }
            }
            kind => kind,
        }
    }
}

/// What the other words say where they speak of trouble or of time, else what the first one says.
fn or(told: Kind, first: Kind) -> Kind {
    if matches!(told, Kind::Errors | Kind::Latency | Kind::Success | Kind::Saturation | Kind::Cpu) {
        told
    } else {
        first
    }
}

/// The family of a metric: its name up to the first `_`, so that `cpu_rate` and `cpu` are both `cpu`.
#[must_use]
pub fn family(metric: &str) -> &str {
    metric.split('_').next().unwrap_or(metric)
}

/// Lower-case words of a name in snake, kebab, dotted or camel case.
pub(crate) fn words(name: &str) -> Vec<String> {
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

    const NAMES: &[(&str, Kind)] = &[
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
        // Istio and Envoy
        ("istio_requests_total", Kind::Traffic),
        ("istio_request_duration_milliseconds_sum", Kind::Latency),
        ("istio_request_duration_milliseconds_count", Kind::Traffic),
        ("istio_request_duration_milliseconds_bucket", Kind::Other),
        ("istio_response_bytes_sum", Kind::Network),
        ("istio_tcp_received_bytes_total", Kind::Network),
        ("envoy_cluster_upstream_rq_time", Kind::Latency),
        ("envoy_cluster_upstream_rq_total", Kind::Traffic),
        ("envoy_cluster_upstream_rq_5xx", Kind::Errors),
        ("envoy_cluster_upstream_cx_active", Kind::Saturation),
        // OpenTelemetry
        ("http.server.request.duration", Kind::Latency),
        ("http.server.active_requests", Kind::Saturation),
        ("rpc.server.duration_p99", Kind::Latency),
        ("traces_service_graph_request_failed_total", Kind::Errors),
        ("traces_spanmetrics_calls_total", Kind::Traffic),
        ("process.cpu.utilization", Kind::Cpu),
        ("jvm.memory.used", Kind::Memory),
        ("db.client.connections.usage", Kind::Saturation),
        // cAdvisor, kube-state-metrics, node exporter
        ("container_cpu_usage_seconds_total", Kind::Cpu),
        ("container_cpu_cfs_throttled_seconds_total", Kind::Saturation),
        ("container_memory_working_set_bytes", Kind::Memory),
        ("container_network_receive_bytes_total", Kind::Network),
        ("container_fs_writes_bytes_total", Kind::Io),
        ("kube_pod_container_status_restarts_total", Kind::Errors),
        ("node_memory_MemAvailable_bytes", Kind::Other),
        ("system_load_average_1m", Kind::Cpu),
        // runtimes
        ("go_goroutines", Kind::Saturation),
        ("go_memstats_heap_inuse_bytes", Kind::Memory),
        ("go_gc_duration_seconds", Kind::Saturation),
        ("process_open_fds", Kind::Io),
        ("process_resident_memory_bytes", Kind::Memory),
        ("jvm_gc_pause_seconds_max", Kind::Saturation),
        ("http_server_requests_seconds_max", Kind::Latency),
        ("http_server_requests_seconds_count", Kind::Traffic),
        ("hikaricp_connections_pending", Kind::Saturation),
        ("tomcat_threads_busy_threads", Kind::Saturation),
        // RED and USE with other words
        ("request_time_ms", Kind::Latency),
        ("response_time_avg", Kind::Latency),
        ("requests_failed", Kind::Errors),
        ("http_5xx_ratio", Kind::Errors),
        ("network_latency", Kind::Latency),
        ("disk_queue_length", Kind::Saturation),
        ("tps", Kind::Traffic),
        ("requests_per_second", Kind::Traffic),
        ("load", Kind::Traffic),
        ("load_1m", Kind::Cpu),
        ("mysql_up", Kind::Success),
        ("cache_hit_ratio", Kind::Other),
        // as the development cases name them
        ("workload_spans", Kind::Traffic),
        ("requests_sum", Kind::Traffic),
        ("calls_to:cart", Kind::CallPattern),
        ("spans_per_request", Kind::CallPattern),
        ("log_missing", Kind::Log),
        ("fs_writes", Kind::Io),
        ("syscall_read", Kind::Io),
        ("net_rx", Kind::Network),
    ];

    #[test]
    fn names_tell_kinds() {
        for (name, kind) in NAMES.iter().copied() {
            assert_eq!(Kind::of_metric(name), kind, "{name}");
        }
    }
}
