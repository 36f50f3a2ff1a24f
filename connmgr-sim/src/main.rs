//! The command `connmgr-sim`: runs scenarios and analyses failures.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
