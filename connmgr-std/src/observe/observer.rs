//! The driver's observer in every adapter.

use connmgr_core::driver::Observer;
use connmgr_core::{Action, Input, Reply, Time};

use crate::adapter::engine::ConnectWatch;
use crate::trace::{TraceError, TraceWriter};

/// The observer of an adapter's driver: writes the trace, if there is one; the log, with the feature `tracing`; and the
/// metrics, with the feature `metrics`. It goes on when the trace fails.
#[derive(Debug, Default)]
pub(crate) struct PoolObserver {
    trace: Option<TraceWriter>,
    /// Why the trace failed, until it is taken.
    trace_error: Option<TraceError>,
    /// Follows the peers whose caller waits.
    pub(crate) connects: ConnectWatch,
    #[cfg(feature = "metrics")]
    metrics: super::metrics::Metrics,
}

impl PoolObserver {
    /// With this trace, or none.
    pub(crate) fn new(trace: Option<TraceWriter>) -> Self {
        Self { trace, ..Self::default() }
    }

    /// Why the trace failed; returned once.
    pub(crate) const fn take_trace_error(&mut self) -> Option<TraceError> {
        self.trace_error.take()
    }

    /// Flushes the trace to the operating system.
    pub(crate) fn flush(&mut self) {
        self.write_trace(TraceWriter::flush);
    }

    fn write_trace(&mut self, write: impl FnOnce(&mut TraceWriter) -> Result<(), TraceError>) {
        if let Some(Err(error)) = self.trace.as_mut().map(write) {
            self.trace_error = Some(error);
        }
    }
}

impl Observer for PoolObserver {
    fn input(&mut self, now: Time, input: &Input, reply: &Reply) {
        self.write_trace(|trace| trace.step(now, input, reply));
        self.connects.note_reply(reply);
        #[cfg(feature = "tracing")]
        super::log::input(now, input, reply);
        #[cfg(feature = "metrics")]
        self.metrics.input(now, input, reply);
    }

    fn action(&mut self, now: Time, action: &Action) {
        self.write_trace(|trace| trace.action(action));
        self.connects.note(action);
        #[cfg(feature = "tracing")]
        super::log::action(now, action);
        #[cfg(feature = "metrics")]
        self.metrics.action(now, action);
        let _ = now;
    }

    #[cfg(feature = "metrics")]
    fn settled(&mut self, now: Time, manager: &connmgr_core::ConnManager) {
        self.metrics.settled(now, manager);
    }
}
