//! The driver's observers: the trace, the log (feature `tracing`), the metrics (feature `metrics`).

#[cfg(feature = "tracing")]
mod log;
#[cfg(feature = "metrics")]
pub mod metrics;
mod observer;

pub(crate) use observer::PoolObserver;
