//! Errors in words, with their causes.

use std::error::Error;
use std::fmt;

/// An error and what caused it, as one line: `the state could not be saved: can't write /var/x: no space left`. An
/// error's own text does not repeat its causes.
///
/// ```
/// use connmgr_std::with_causes;
///
/// fn tell(error: connmgr_std::StartError) {
///     eprintln!("{}", with_causes(&error));
/// }
/// ```
pub fn with_causes<'a>(error: &'a (dyn Error + 'static)) -> impl fmt::Display + 'a {
    WithCauses(error)
}

struct WithCauses<'a>(&'a (dyn Error + 'static));

impl fmt::Display for WithCauses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, f)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use connmgr_core::{DialError, DialFailure};

    use super::*;
    use crate::{ConnectError, Problem, StateError};

    #[test]
    fn each_cause_is_told_once() {
        let full =
            StateError::Io { what: "write", path: "/x/peers.dat".into(), error: io::Error::other("no space left") };
        let told = with_causes(&Problem::NotSaved(full)).to_string();
        assert_eq!(told, "the state could not be saved: can't write /x/peers.dat: no space left");
        let refused = ConnectError::DialFailed(DialFailure::Failed(DialError::Refused));
        assert_eq!(with_causes(&refused).to_string(), "the dial failed: connection refused");
    }
}
