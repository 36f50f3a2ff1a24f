//! Reports: a self-contained HTML page on a run, a campaign or a trace, and the picture of a sweep. A page needs no
//! network, follows the reader's choice of light or dark, and works by keyboard alone.
//!
//! It judges nothing: verdicts come from runs, data from the [`Diary`](crate::watch::diary::Diary). A page is a
//! pure function: the same run gives the same bytes.

mod axis;
mod campaign;
mod chart;
mod course;
mod dialing;
mod eclipse;
mod fault_name;
mod figures;
mod findings;
mod headline;
mod lanes;
mod log_scale;
mod page;
mod run;
mod strip;
mod sweep;
mod time_axis;
#[cfg(feature = "cli")]
mod trace;
mod uses;
mod verdict;
mod window;
mod zoom;

pub use campaign::campaign;
pub use eclipse::{eclipse, eclipse_svg};
pub use run::run;
pub use sweep::svg;
#[cfg(feature = "cli")]
pub use trace::trace;
