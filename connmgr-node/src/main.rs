//! The command `connmgr-node`.

fn main() {}
