//! Reports: one self-contained HTML page on a run, a campaign or a trace. It needs no network, follows the reader's
//! choice of light or dark, and can be used by keyboard alone.
//!
//! It judges nothing: verdicts come from runs, what is drawn from the [`Diary`](crate::watch::diary::Diary). A page is a
//! function of what it is about: the same run gives the same bytes.

mod axis;
mod befell;
mod campaign;
mod chart;
mod course;
mod figures;
mod lanes;
mod page;
mod run;
mod strip;
mod sweep;
#[cfg(feature = "cli")]
mod trace;
mod verdict;

pub use campaign::campaign;
pub use run::run;
pub use sweep::svg;
#[cfg(feature = "cli")]
pub use trace::trace;
