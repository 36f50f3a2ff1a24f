//! Scratch.
use connmgr_sim::{Real, Scrutiny, World, catalogue};
fn main() {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    for scenario in catalogue::all() {
        if !names.is_empty() && !names.contains(&scenario.name) {
            continue;
        }
        let name = scenario.name.clone();
        let start = std::time::Instant::now();
        let mut world: World<Real> = World::new(scenario, seed, Scrutiny::USUAL).unwrap();
        let r = world.run();
        let t = start.elapsed();
        let n = &world.nodes()[0].tally;
        let healed = world.plan().scenario.healed_at();
        let s = |i: Option<connmgr_sim::Instant>| i.map_or("-".into(), |i| i.to_string());
        println!(
            "{name:24} {:6} full {} again +{:?} dials {} in faults {} most/s {} short {:?} ready {} disc {} lookups {} bans {} out {} arr {}/{} starts {} now {:?}; {} steps {:?}",
            if r.is_ok() { "ok" } else { "BROKEN" },
            s(n.first_full),
            n.full_after_healing.zip(healed).map(|(f, h)| f.since(h)),
            n.dials,
            n.dials_in_faults,
            n.most_dials_in_a_second,
            n.short_for,
            n.ready,
            n.disconnected,
            n.lookups,
            n.bans,
            n.outages,
            n.accepted,
            n.arrivals,
            n.starts,
            n.now_ready,
            world.steps(),
            t
        );
        if let Err(b) = r {
            println!("   {b:?}");
        }
    }
}
