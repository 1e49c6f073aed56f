//! Counters in the text format of Prometheus.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rescorer::PoolStats;

use crate::served::Served;

/// Upper bounds of the buckets of answer times, in milliseconds.
const BUCKETS: [u64; 10] = [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/// What a server has done so far.
#[derive(Debug, Default)]
pub struct Metrics {
    /// By the first digit of the status.
    requests: [AtomicU64; 6],
    /// In the order of [`Served::ALL`].
    lists: [AtomicU64; Served::ALL.len()],
    failed: AtomicU64,
    refused: AtomicU64,
    /// Answers by time, the last for all that took longer.
    times: [AtomicU64; BUCKETS.len() + 1],
    /// Of all answers, in microseconds.
    time: AtomicU64,
    waiting_lists: AtomicU64,
    waiting_nodes: AtomicU64,
    batches: AtomicU64,
    batched_lists: AtomicU64,
    batched_nodes: AtomicU64,
    busy: AtomicU64,
    connections: AtomicU64,
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

fn value(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

impl Metrics {
    /// A request was answered with this status.
    pub fn request(&self, status: u16) {
        add(&self.requests[usize::from(status / 100).min(5)], 1);
    }

    /// A list was answered.
    pub fn answered(&self, served: Served, time: Duration) {
        add(&self.lists[served as usize], 1);
        let millis = time.as_millis() as u64;
        add(&self.times[BUCKETS.iter().position(|bound| millis < *bound).unwrap_or(BUCKETS.len())], 1);
        add(&self.time, time.as_micros() as u64);
    }

    /// A list could not be answered.
    pub fn failed(&self) {
        add(&self.failed, 1);
    }

    /// A list was not taken.
    pub fn refused(&self) {
        add(&self.refused, 1);
    }

    /// What waits for the model now.
    pub fn waiting(&self, lists: usize, nodes: f64) {
        self.waiting_lists.store(lists as u64, Ordering::Relaxed);
        self.waiting_nodes.store(nodes as u64, Ordering::Relaxed);
    }

    /// What went through the model together.
    pub fn batch(&self, lists: usize, nodes: f64, time: Duration) {
        add(&self.batches, 1);
        add(&self.batched_lists, lists as u64);
        add(&self.batched_nodes, nodes as u64);
        add(&self.busy, time.as_micros() as u64);
    }

    /// A connection came.
    pub fn connected(&self) {
        add(&self.connections, 1);
    }

    /// A connection ended.
    pub fn disconnected(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// All of them as text.
    pub fn text(&self, pool: Option<PoolStats>) -> String {
        let mut text = String::new();
        let mut one = |name: &str, kind: &str, help: &str, values: &[(&str, f64)]| {
            let _ = writeln!(text, "# HELP rescorer_{name} {help}\n# TYPE rescorer_{name} {kind}");
            for (label, value) in values {
                let _ = writeln!(text, "rescorer_{name}{label} {value}");
            }
        };
        let statuses: Vec<(String, f64)> = (2..6)
            .map(|digit| (format!("{{status=\"{digit}xx\"}}"), value(&self.requests[digit]) as f64))
            .collect();
        let statuses: Vec<(&str, f64)> =
            statuses.iter().map(|(label, count)| (label.as_str(), *count)).collect();
        one("requests_total", "counter", "Requests by status.", &statuses);
        let served: Vec<(String, f64)> = Served::ALL
            .iter()
            .map(|served| {
                (format!("{{served=\"{}\"}}", served.name()), value(&self.lists[*served as usize]) as f64)
            })
            .collect();
        let served: Vec<(&str, f64)> = served.iter().map(|(label, count)| (label.as_str(), *count)).collect();
        one("lists_total", "counter", "Lists answered, by how the answer was come by.", &served);
        let counter = |counter: &AtomicU64| [("", value(counter) as f64)];
        one("lists_failed_total", "counter", "Lists that could not be answered.", &counter(&self.failed));
        one("lists_refused_total", "counter", "Lists for which the queue was full.", &counter(&self.refused));
        one("waiting_lists", "gauge", "Lists that wait for the model.", &counter(&self.waiting_lists));
        one("waiting_nodes", "gauge", "Trie nodes that wait for the model.", &counter(&self.waiting_nodes));
        one("batches_total", "counter", "Batches computed.", &counter(&self.batches));
        one("batched_lists_total", "counter", "Lists in these batches.", &counter(&self.batched_lists));
        one(
            "batched_nodes_total",
            "counter",
            "Trie nodes in these batches, estimated.",
            &counter(&self.batched_nodes),
        );
        one(
            "busy_seconds_total",
            "counter",
            "Time that the model computed.",
            &[("", seconds(value(&self.busy)))],
        );
        one("connections", "gauge", "Open connections.", &counter(&self.connections));
        if let Some(pool) = pool {
            one(
                "adapters_registered",
                "gauge",
                "Adapters that lists may name.",
                &[("", pool.registered as f64)],
            );
            one("adapters_resident", "gauge", "Adapters in memory.", &[("", pool.resident as f64)]);
            one("adapters_bytes", "gauge", "Bytes of these.", &[("", pool.resident_bytes as f64)]);
            one("adapter_loads_total", "counter", "Adapters read.", &[("", pool.loads as f64)]);
            one(
                "adapter_failures_total",
                "counter",
                "Adapters that could not be read.",
                &[("", pool.failures as f64)],
            );
            one(
                "adapter_evictions_total",
                "counter",
                "Adapters that gave way to others.",
                &[("", pool.evictions as f64)],
            );
        }
        let _ = writeln!(
            text,
            "# HELP rescorer_answer_seconds From a list's arrival to its answer.\n# TYPE rescorer_answer_seconds histogram"
        );
        let mut sum = 0;
        for (bound, count) in BUCKETS.iter().zip(&self.times) {
            sum += value(count);
            let _ = writeln!(text, "rescorer_answer_seconds_bucket{{le=\"{}\"}} {sum}", *bound as f64 / 1e3);
        }
        sum += value(&self.times[BUCKETS.len()]);
        let _ = writeln!(
            text,
            "rescorer_answer_seconds_bucket{{le=\"+Inf\"}} {sum}\nrescorer_answer_seconds_sum {}\nrescorer_answer_seconds_count {sum}",
            seconds(value(&self.time))
        );
        text
    }
}
