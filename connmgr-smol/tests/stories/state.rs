//! What outlives a pool, and what stands in its way.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use connmgr_core::{
    Action, AddressInfo, BanTarget, Config, ConnManager, Host, Input, Limits, Listener, ListenerId, Mode, PeerAddress,
    Permissions, Services,
};
use connmgr_smol::{PoolEvent, Problem, StartError, StateError};
use connmgr_std::{Clock, Line, TraceReader, replay};

use super::support::{ANY_PORT, accept, add, builder, config, event, peer, run, spawner, start, within};

const BANNED: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);

#[test]
fn a_ban_outlives_the_pool() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let target = BanTarget::Host(Host::from(BANNED));
        let pool = start(builder(config()).state_dir(dir.path())).await;
        pool.handle().ban(target.clone(), Duration::from_secs(3600)).await.unwrap();
        let problems = within("shutdown", pool.shutdown()).await;
        assert!(problems.is_empty(), "{problems:?}");
        let pool = start(builder(config()).state_dir(dir.path())).await;
        let bans: Vec<_> = pool.handle().bans().await.into_iter().map(|ban| ban.target).collect();
        assert_eq!(bans, [target]);
    });
}

#[test]
fn addresses_outlive_the_pool() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        // A book, and nobody to be dialed from it.
        let mut config = Config { mode: Mode::Automatic, ..config() };
        config.limits = Limits { full: 0, addr_fetch: 0, ..config.limits };
        let last_seen = Clock::start().unix();
        let known = (1..=200).map(|group| AddressInfo {
            address: PeerAddress::from(SocketAddr::from(([group, 2, 3, 4], 8333))),
            services: Services::NETWORK,
            last_seen,
        });
        let pool = start(builder(config.clone()).state_dir(dir.path())).await;
        pool.handle().addresses(known.collect()).await;
        let problems = within("shutdown", pool.shutdown()).await;
        assert!(problems.is_empty(), "{problems:?}");
        let pool = start(builder(config).state_dir(dir.path())).await;
        let found = pool.handle().sample_addresses(None, 10).await;
        assert_eq!(found.len(), 10);
        assert!(found.iter().all(|info| info.address.to_string().ends_with(".2.3.4:8333")), "{found:?}");
    });
}

#[test]
fn a_disk_that_takes_nothing_is_told_of_at_the_end() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let pool = start(builder(config()).state_dir(&path)).await;
        fs::remove_dir_all(&path).unwrap();
        pool.handle().ban(BanTarget::Host(Host::from(BANNED)), Duration::from_secs(3600)).await.unwrap();
        let problems = within("shutdown", pool.shutdown()).await;
        assert!(problems.iter().any(|problem| matches!(problem, Problem::NotSaved(_))), "{problems:?}");
    });
}

#[test]
fn a_damaged_file_is_told_of_and_the_pool_goes_on() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("bans.json"), "{ no bans").unwrap();
        let mut pool = start(builder(config()).state_dir(dir.path())).await;
        let damage = event(&mut pool, "Problem", |event| match event {
            PoolEvent::Problem(Problem::Damaged(damage)) => Some(damage),
            _ => None,
        })
        .await;
        assert_eq!(fs::read_to_string(damage.set_aside).unwrap(), "{ no bans");
        assert!(pool.handle().bans().await.is_empty());
    });
}

#[test]
fn two_pools_do_not_share_a_directory() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let _first = start(builder(config()).state_dir(dir.path())).await;
        let second = builder(config()).state_dir(dir.path()).start(spawner()).await;
        assert!(matches!(second, Err(StartError::State(StateError::Locked { .. }))), "{second:?}");
    });
}

#[test]
fn a_port_that_is_taken_is_named() {
    run(async {
        let (_listener, address) = peer().await;
        let error = builder(config()).listen(address).start(spawner()).await.unwrap_err();
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    });
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused_by_field() {
    run(async {
        let mut config = config();
        config.score.max_hosts = 0;
        let error = builder(config).start(spawner()).await.unwrap_err();
        assert!(error.to_string().contains("score.max_hosts"), "{error}");
    });
}

#[test]
fn a_listener_after_the_last_number_is_refused() {
    run(async {
        let listeners = [0, u32::MAX].map(ListenerId);
        let listener = |id| Listener { id, network: None, permissions: Permissions::default() };
        let config = Config { listeners: listeners.map(listener).into(), ..config() };
        let error = builder(config).listen(ANY_PORT.into()).start(spawner()).await.unwrap_err();
        assert!(error.to_string().contains("listeners.id"), "{error}");
    });
}

#[test]
fn a_trace_tells_the_whole_run_and_runs_again() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trace");
        let (listener, address) = peer().await;
        let pool = start(builder(config()).trace(&path)).await;
        add(&pool, address).await;
        let _theirs = accept(&listener).await;
        let problems = within("shutdown", pool.shutdown()).await;
        assert!(problems.is_empty(), "{problems:?}");
        let _again = builder(config()).trace(&path).start(spawner()).await.expect_err("a trace is not overwritten");
        let replayed = replay::<ConnManager>(TraceReader::open(&path).unwrap()).expect("the same run again");
        let lines: Vec<Line> = TraceReader::open(&path).unwrap().map(Result::unwrap).collect();
        let count = |wanted: fn(&Line) -> bool| lines.iter().filter(|line| wanted(line)).count();
        assert!(replayed.inputs > 0 && replayed.actions > 0);
        assert_eq!(count(|line| matches!(line, Line::Step { input: Input::AddPeer { .. }, .. })), 1);
        assert_eq!(count(|line| matches!(line, Line::Action(Action::Dial { .. }))), 1);
        assert_eq!(count(|line| matches!(line, Line::Step { input: Input::Shutdown, .. })), 1);
    });
}
