//! The list of metrics.

use metrics::{Unit, describe_counter, describe_gauge};

/// One metric.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Whether it only rises.
    pub kind: MetricKind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it counts. The unit of all is "count".
    pub about: &'static str,
}

/// Whether a metric only rises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// It only rises, from the start of the process.
    Counter,
    /// It shows the present value.
    Gauge,
}

const fn counter(name: &'static str, labels: &'static [&'static str], about: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Counter, labels, about }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], about: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Gauge, labels, about }
}

/// Every metric.
pub const METRICS: [Metric; 15] = [
    counter("connmgr_dials_total", &["kind"], "Dials begun"),
    counter("connmgr_dials_ended_total", &["kind", "outcome"], "Dials ended, connected or failed"),
    counter("connmgr_connections_opened_total", &["kind"], "Connections opened, dialed or accepted"),
    counter(
        "connmgr_connections_ended_total",
        &["kind", "by", "reason"],
        "Connections ended, by us, by them or by the application",
    ),
    counter("connmgr_refusals_total", &["reason"], "Inbound connections refused"),
    counter("connmgr_accept_errors_total", &[], "Failures to accept that stay until something changes"),
    counter("connmgr_lookups_total", &["of", "route"], "Lookups begun, of seeds and of peers' names"),
    counter("connmgr_lookups_ended_total", &["of", "outcome"], "Lookups ended"),
    counter("connmgr_retries_total", &[], "Retries of added peers that were given a time"),
    counter("connmgr_bans_total", &[], "Bans imposed"),
    counter("connmgr_unbans_total", &[], "Bans ended or lifted"),
    counter("connmgr_network_changes_total", &["network", "to"], "Networks found down, or up again"),
    gauge("connmgr_network_down", &["network"], "1 while no dial to the network gets any answer, else 0"),
    gauge("connmgr_known_addresses", &["network", "table"], "Addresses in the book"),
    gauge("connmgr_connections", &["kind", "state"], "Connections and dials"),
];

/// Describes each to the recorder.
pub(super) fn describe() {
    for Metric { name, kind, about, .. } in METRICS {
        match kind {
            MetricKind::Counter => describe_counter!(name, Unit::Count, about),
            MetricKind::Gauge => describe_gauge!(name, Unit::Count, about),
        }
    }
}
