//! The command `connmgr-sim`: runs scenarios, and takes failures apart.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
