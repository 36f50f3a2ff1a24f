//! A process without descriptors. The only story in this file, because descriptors are limited for a whole process.
#![cfg(target_os = "linux")]

use std::net::{Ipv4Addr, SocketAddr};

use connmgr_core::Config;
use connmgr_smol::{BoxFuture, Pool, StartError};
use futures_lite::future::block_on;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More than any start needs.
const PLENTY: u64 = 256;

fn start() -> Result<Pool, StartError> {
    let builder = Pool::builder(Config::default()).listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    block_on(builder.start(|task: BoxFuture| smol::spawn(task).detach()))
}

/// One more is allowed each time, so that every step of the start fails once.
#[test]
fn a_start_without_descriptors_is_an_error_and_may_be_tried_again() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let mut errors = Vec::new();
    for current in 0..PLENTY {
        setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum }).expect("lowering is allowed");
        match start() {
            Ok(pool) => {
                // With the feature `watch-network` a pool starts also where that is all it has no descriptor for.
                let problems = block_on(pool.shutdown());
                let is_about_watching = |text: &str| text.starts_with("changes of the network are not noticed");
                assert!(problems.iter().all(|problem| is_about_watching(&problem.to_string())), "{problems:?}");
                assert!(matches!(errors.first(), Some(StartError::System { .. })), "{errors:?}");
                assert!(errors.iter().any(|error| matches!(error, StartError::Listen { .. })), "{errors:?}");
                return;
            }
            Err(error) => errors.push(error),
        }
    }
    panic!("{:?}", errors.last());
}
