//! What watches the driver: the trace, the log (feature `tracing`), the metrics (feature `metrics`).

#[cfg(feature = "tracing")]
mod log;
#[cfg(feature = "metrics")]
pub mod metrics;
mod watch;

pub(crate) use watch::Watch;
