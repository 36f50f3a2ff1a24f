//! A regression test as text, to be put into a crate that has `connmgr-sim` as a dependency: it fails as long as the
//! failure is there.

use std::fmt::Write;

use super::{Shrunk, ShrunkStory};
use crate::run::case::Case;

/// The test, as a file of its own.
pub fn regression_test(original: &Case, shrunk: &Shrunk) -> String {
    match &shrunk.story {
        Some(story) => of_story(original, story),
        None => of_scenario(original, &shrunk.case),
    }
}

fn head(original: &Case) -> String {
    let Case { scenario, seed, failure, release, .. } = original;
    format!(
        "//! Found by `connmgr-sim {} {} --seed {seed}` of {release}, and shrunk:\n//! {}\n\n",
        if original.rivals { "rivals" } else { "run" },
        scenario.name,
        one_line(&failure.to_string()),
    )
}

fn name(original: &Case) -> String {
    let words = format!("{}_in_{}_seed_{}", original.failure.rule, original.scenario.name, original.seed);
    words.replace('-', "_")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn of_story(original: &Case, shrunk: &ShrunkStory) -> String {
    let ShrunkStory { story, manner, broken, .. } = shrunk;
    let mut text = head(original);
    text += "use connmgr_sim::{Manner, Story};\n\n";
    let _ = writeln!(text, "/// {}:", one_line(&broken.what));
    for (now, input) in &story.told {
        let _ = writeln!(text, "/// - at {now}: {}", one_line(&input.to_string()));
    }
    let _ = writeln!(text, "const STORY: &str = r##\"\n{story}\"##;\n");
    let _ = writeln!(text, "#[test]\nfn {}() {{", name(original));
    text += "    let story = Story::parse(STORY).expect(\"the story is whole\");\n";
    let _ = writeln!(text, "    let manner = Manner {{ wakes: {}, canary: {} }};", manner.wakes, manner.canary);
    text += "    assert_eq!(story.tell(manner), Ok(()));\n}\n";
    text
}

fn of_scenario(original: &Case, smallest: &Case) -> String {
    let mut text = head(original);
    text += "use connmgr_sim::{Scenario, Terms, run};\n\n";
    let _ = writeln!(text, "const SCENARIO: &str = r##\"\n{}\"##;\n", smallest.scenario.to_toml());
    let _ = writeln!(text, "#[test]\nfn {}() {{", name(original));
    text += "    let scenario = Scenario::parse(SCENARIO).expect(\"the scenario is sound\");\n";
    let terms = if smallest.rivals { "Terms { rivals: true, ..Terms::default() }" } else { "Terms::default()" };
    let _ = writeln!(text, "    let outcome = run(&scenario, {}, {terms});", smallest.seed);
    text += "    assert_eq!(outcome.failures, []);\n}\n";
    text
}
