//! The command `connmgr-sim`: runs scenarios, and takes failures apart.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}
