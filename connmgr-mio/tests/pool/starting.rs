//! Pools that do not start.

use mio::Poll;

use crate::support::{ANY_PORT, POOL, World, builder, config};

#[test]
fn a_start_that_failed_may_be_tried_again_on_the_same_poll() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = World::start(builder(config()).state_dir(dir.path()));
    let poll = Poll::new().unwrap();
    builder(config()).state_dir(dir.path()).start(poll.registry(), POOL).unwrap_err();
    first.shutdown();
    drop(builder(config()).state_dir(dir.path()).start(poll.registry(), POOL).unwrap());
}

#[test]
fn a_range_of_tokens_that_is_too_short_is_refused() {
    let builder = builder(config()).listen(ANY_PORT.into());
    // A listener, the waker, and two for each of 125.
    assert_eq!(builder.tokens_needed(), 252);
    let error = builder.start(Poll::new().unwrap().registry(), 7..258).unwrap_err();
    let told = connmgr_mio::with_causes(&error).to_string();
    assert_eq!(told, "can't do with the range of tokens: it has 251, and 252 are needed");
}
