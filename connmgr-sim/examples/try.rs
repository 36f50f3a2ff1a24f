//! Scratch.
use connmgr_sim::dice::Share;
use connmgr_sim::scenario::*;
use connmgr_sim::{Real, Scrutiny, World};
fn main() {
    let arg = |n: usize, d: u64| std::env::args().nth(n).and_then(|a| a.parse().ok()).unwrap_or(d);
    let (hours, nodes, watch) = (arg(1, 2), arg(2, 1), arg(3, 1));
    let mut scenario = Scenario::new("cold-start", Span::hours(hours));
    scenario.node.count = nodes as u32;
    let mut honest = HostSpec::new("honest", 3000);
    honest.reachable = Share::percent(25);
    honest.churn = Some(Churn { up: Spread::Exponential(Span::hours(24)), down: Spread::Exponential(Span::hours(12)) });
    scenario.hosts.push(honest);
    if nodes > 1 {
        scenario.node.listens = true;
        scenario.node.is_known = true;
        scenario.node.start_within = Span::minutes(5);
    }
    scenario.seeds.push(SeedSpec {
        name: "seed1.example".into(),
        behavior: SeedBehavior::Answer,
        about: vec![],
        answers: 26,
        latency: "20ms .. 400ms".parse().unwrap(),
    });
    let start = std::time::Instant::now();
    let mut world: World<Real> =
        World::new(scenario, 1, if watch == 0 { Scrutiny::None } else { Scrutiny::USUAL }).unwrap();
    if let Err(b) = world.run() {
        println!("{b:?}");
    }
    let t = start.elapsed();
    let n = &world.nodes()[0];
    println!("{:?} first full, {:?}", n.tally.first_full.map(|f| f.to_string()), n.tally);
    let full = world.nodes().iter().filter(|n| n.tally.first_full.is_some()).count();
    println!(
        "full {full}; {} steps in {:?}: {} k/s, digest {:x}",
        world.steps(),
        t,
        world.steps() as f64 / t.as_secs_f64() / 1000.0,
        world.digest()
    );
}
