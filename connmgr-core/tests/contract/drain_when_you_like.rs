//! Clause 5: draining after every fact or after all of them yields the same actions in the same order.

use crate::chaos::{Dice, Mood, birth, configs, drain};

#[test]
fn drain_when_you_like() {
    for seed in crate::seeds(5, 1) {
        for (name, config) in configs() {
            let [mut always, mut never, mut sometimes] = [(); 3].map(|()| birth(&config, seed));
            let (mut from_always, mut from_sometimes, mut dice) = (Vec::new(), Vec::new(), Dice::new(seed));
            for (now, input) in crate::script(&config, seed, Mood::Mortal) {
                let reply = always.apply(&input, now);
                assert_eq!(never.apply(&input, now), reply, "`{name}`, CHAOS_SEED={seed}");
                assert_eq!(sometimes.apply(&input, now), reply, "`{name}`, CHAOS_SEED={seed}");
                from_always.extend(drain(&mut always));
                (0..dice.below(4)).for_each(|_| from_sometimes.extend(sometimes.poll_action()));
                let due = always.poll_timeout();
                assert_eq!([never.poll_timeout(), sometimes.poll_timeout()], [due; 2], "`{name}`, CHAOS_SEED={seed}");
            }
            from_sometimes.extend(drain(&mut sometimes));
            assert!(from_sometimes == from_always, "`{name}`, CHAOS_SEED={seed}");
            assert!(drain(&mut never) == from_always, "`{name}`, CHAOS_SEED={seed}");
            assert!(never == always && sometimes == always, "`{name}`, CHAOS_SEED={seed}");
        }
    }
}
