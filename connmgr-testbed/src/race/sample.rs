//! One measurement.

use std::iter::Sum;
use std::time::{Duration, Instant};

use crate::process;

/// The cost of a number of dials.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    dials: u32,
    wall: Duration,
    cpu: Duration,
}

/// Measures wall time, and the CPU time of all threads of this process.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    wall: Instant,
    cpu: Duration,
}

impl Stopwatch {
    /// Starts.
    pub fn start() -> Self {
        Self { wall: Instant::now(), cpu: process::cpu() }
    }

    /// The cost of so many dials since the start.
    pub fn stop(self, dials: u32) -> Sample {
        let (wall, cpu) = (self.wall.elapsed(), process::cpu());
        Sample { dials, wall, cpu: cpu - self.cpu }
    }
}

impl Sum for Sample {
    fn sum<I: Iterator<Item = Self>>(samples: I) -> Self {
        let none = Self { dials: 0, wall: Duration::ZERO, cpu: Duration::ZERO };
        samples.fold(none, |sum, sample| Self {
            dials: sum.dials + sample.dials,
            wall: sum.wall + sample.wall,
            cpu: sum.cpu + sample.cpu,
        })
    }
}

impl Sample {
    /// Dials a second.
    pub(super) fn per_second(&self) -> f64 {
        f64::from(self.dials) / self.wall.as_secs_f64()
    }

    /// CPU time of one dial, in microseconds.
    pub(super) fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / f64::from(self.dials)
    }
}
