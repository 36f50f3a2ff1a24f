//! A command line as text.

use std::fmt::{self, Display, Formatter};

/// The command that gives the same answer again, quoted for a shell.
pub(super) struct CommandAgain(Vec<String>);

impl CommandAgain {
    pub(super) fn of(subcommand: &str) -> Self {
        Self(vec!["connmgr-sim".to_owned(), subcommand.to_owned()])
    }

    pub(super) fn words<W: ToString>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.0.extend(words.into_iter().map(|word| word.to_string()));
        self
    }

    /// An option, once for each value.
    pub(super) fn option<V: ToString>(self, name: &str, values: impl IntoIterator<Item = V>) -> Self {
        values.into_iter().fold(self, |again, value| again.words([name, &value.to_string()]))
    }

    pub(super) fn flag(self, name: &str, given: bool) -> Self {
        self.words(given.then_some(name))
    }
}

impl Display for CommandAgain {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let quoter = shlex::Quoter::new().allow_nul(true);
        f.write_str(&quoter.join(self.0.iter().map(String::as_str)).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::CommandAgain;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        let again =
            CommandAgain::of("diff").words(["my worlds/a.toml", "outage@7"]).option("--set", ["a.b = 4", "c=1"]);
        let again = again.option("--node", Some(0)).flag("--canary", true).flag("--no-checks", false);
        let text = "connmgr-sim diff 'my worlds/a.toml' outage@7 --set 'a.b = 4' --set 'c=1' --node 0 --canary";
        assert_eq!(again.to_string(), text);
    }
}
