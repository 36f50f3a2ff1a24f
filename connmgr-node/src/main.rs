//! The command `connmgr-node`: see `--help`.

use std::io::stdout;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use connmgr_node::cli::{Options, Scene};
use connmgr_node::report::{Format, Report, Summary};
use connmgr_node::world::{World, WorldConfig};
use tokio::time::sleep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let options = Options::parse();
    let start = Instant::now();
    let format = if options.json { Format::Json } else { Format::Plain };
    let mut report = Report::new(stdout(), format);
    let world = match options.scene {
        Scene::World => Some(World::start(&WorldConfig::default()).context("the world on loopback can't start")?),
        Scene::Network(_) => None,
    };
    if let Some(world) = &world {
        report.note(start.elapsed(), &format!("a world of its own on loopback: ask {}", world.entry()));
        if world.relaxed() {
            report.note(start.elapsed(), "127.1.0.1 can't be bound here: all on 127.0.0.1, group rule relaxed");
        }
    }
    tokio::select! {
        () = sleep(options.run_for.unwrap_or(Duration::MAX)) => {}
        stopped = tokio::signal::ctrl_c() => stopped.context("Ctrl-C can't be caught")?,
    }
    let mut summary = Summary::new(0);
    summary.lasted = start.elapsed();
    summary.world = world.map(|world| world.tally()).unwrap_or_default();
    report.summary(start.elapsed(), &summary);
    Ok(())
}
