//! Shrinks the list of inputs of one manager.

use connmgr_core::{Birth, Config, Input};

use super::ShrunkStory;
use super::cast::{Cast, Script};
use super::ddmin::minimize;
use crate::run::story::{BrokenStory, Manner, Story, Telling};
use crate::watch::record::RunRecord;

/// Properties about timeouts. They are broken trivially while the manager gets no timeouts, so these are told whenever
/// the manager asks for them.
const OF_TIME: [&str; 5] = ["retry-comes", "deadlines", "no-spin", "progress", "recovery"];

/// Tries stories.
struct StoryTrial<'a> {
    script: &'a Script,
    rule: &'a str,
    manner: Manner,
    /// Inputs that may still be told.
    left: u64,
}

/// The smallest story found that breaks the same rule; `None` if the recorded inputs do not break it.
pub(super) fn shrink(
    record: &RunRecord,
    rule: &str,
    canary: bool,
    most: u64,
    progress: &dyn Fn(&str),
) -> Option<ShrunkStory> {
    progress("what it was told");
    let script = Script::of(record);
    let manner = Manner { wakes: OF_TIME.contains(&rule), canary };
    let mut trial = StoryTrial { script: &script, rule, manner, left: most };
    let is_told = |place: &usize| !(manner.wakes && script.lines[*place].input == Input::Timeout);
    let whole: Vec<usize> = (0..script.lines.len()).filter(is_told).collect();
    let needed = trial.fails(&record.birth, &whole)?;
    let kept = minimize(whole[..needed].to_vec(), &mut |kept| trial.fails(&record.birth, kept));
    let (told, _) = trial.tell(&record.birth, &kept);
    progress("what is told at once");
    let story = trial.simplify(Story { birth: record.birth.clone(), told });
    let broken = story.tell(manner).err().filter(|broken| broken.rule == rule)?;
    Some(ShrunkStory { story, manner, broken, before: script.lines.len() })
}

impl StoryTrial<'_> {
    /// How many of these lines are needed to break the rule; `None` if they do not.
    fn fails(&mut self, birth: &Birth, kept: &[usize]) -> Option<usize> {
        let cost = kept.len() as u64 + 20;
        self.left = self.left.checked_sub(cost)?;
        let (_, broken) = self.tell(birth, kept);
        broken.filter(|broken| broken.rule == self.rule).map(|broken| broken.after)
    }

    /// Tells these lines: with which ids, and what was broken.
    fn tell(&self, birth: &Birth, kept: &[usize]) -> (Vec<(connmgr_core::Time, Input)>, Option<BrokenStory>) {
        let mut cast = Cast::new(self.script, kept);
        let mut told = Vec::with_capacity(kept.len());
        let mut telling = match Telling::new(birth, self.manner) {
            Ok(telling) => telling,
            Err(broken) => return (told, Some(broken)),
        };
        for place in kept {
            let (now, input) = cast.line(*place);
            told.push((now, input.clone()));
            if let Err(broken) = telling.tell(&input, now, &mut cast) {
                return (told, Some(broken));
            }
        }
        (told, telling.end().err())
    }

    /// Removes what is not needed from birth and inputs. Ids stay.
    fn simplify(&mut self, mut story: Story) -> Story {
        let births: [fn(&mut Birth); 4] = [
            |birth| birth.snapshot = None,
            |birth| {
                birth.config = Config { listeners: std::mem::take(&mut birth.config.listeners), ..Config::default() }
            },
            |birth| birth.config.seeds.names.clear(),
            |birth| birth.rng_seed = [0; 32],
        ];
        for simpler in births {
            let mut other = story.clone();
            simpler(&mut other.birth);
            story = self.smaller(other).unwrap_or(story);
        }
        for place in 0..story.told.len() {
            story = self.shorten(story, place);
        }
        story
    }

    /// Shrinks a list of addresses.
    fn shorten(&mut self, story: Story, place: usize) -> Story {
        let (now, input) = story.told[place].clone();
        let with = |input: Input| {
            let mut story = story.clone();
            story.told[place] = (now, input);
            story
        };
        match input {
            Input::Addresses { source, addresses } => {
                let with = |addresses: &[_]| with(Input::Addresses { source, addresses: addresses.to_vec() });
                with(&minimize(addresses, &mut |kept| self.smaller(with(kept)).map(|_| kept.len())))
            }
            Input::LookupResult { lookup, result: Ok(ips) } => {
                let with = |ips: &[_]| with(Input::LookupResult { lookup, result: Ok(ips.to_vec()) });
                with(&minimize(ips, &mut |kept| self.smaller(with(kept)).map(|_| kept.len())))
            }
            _ => story,
        }
    }

    /// The story, if it still breaks the rule with its last line.
    fn smaller(&mut self, story: Story) -> Option<Story> {
        self.left = self.left.checked_sub(story.told.len() as u64 + 20)?;
        let broken = story.tell(self.manner).err()?;
        (broken.rule == self.rule).then_some(story)
    }
}
