//! The table of all options (`options.md`) says what the code does.
//!
//! A new field of the configuration does not compile here until it is in `values`, and then fails until it has a row and a
//! probe of its range.

mod parts;
mod probe;
mod probes;
mod table;
mod values;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use self::probes::probes;
use self::table::{chains, options};
use self::values::values;
use super::{Chain, Config};

fn names<'a>(of: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    of.collect()
}

#[test]
fn every_option_has_one_row_and_one_probe() {
    let (rows, values, probes) = (options(), values(&Config::default()), probes());
    let in_rows = names(rows.iter().map(|row| row.option.as_str()));
    assert_eq!(in_rows.len(), rows.len(), "a row is there twice");
    assert_eq!(in_rows, names(values.iter().map(|(option, _)| *option)), "rows, and fields of the configuration");
    let in_probes = names(probes.iter().map(|(option, _)| option.as_str()));
    assert_eq!(in_rows, in_probes, "rows, and probes of their ranges");
}

#[test]
fn the_defaults_are_those_of_the_table() {
    let (plain, bitcoin) = (values(&Config::default()), values(&Config::bitcoin(Chain::Mainnet)));
    for row in options() {
        let value = |of: &[(&'static str, alloc::string::String)]| {
            of.iter().find(|(option, _)| *option == row.option).map(|(_, value)| value.clone()).expect("it is a field")
        };
        assert_eq!(row.default, value(&plain), "{}: default", row.option);
        let expected = if row.bitcoin.is_empty() { &row.default } else { &row.bitcoin };
        assert_eq!(*expected, value(&bitcoin), "{}: Bitcoin", row.option);
        let repeats = row.bitcoin == row.default;
        assert!(!repeats, "{}: Bitcoin repeats the default", row.option);
    }
}

#[test]
fn the_ranges_are_those_of_the_table() {
    for row in options() {
        let (_, probe) = probes().into_iter().find(|(option, _)| *option == row.option).expect("it has a probe");
        probe.check(&row.option, &row.range);
    }
}

#[test]
fn the_chains_are_those_of_the_table() {
    let chain = |chain: Chain| {
        let config = Config::bitcoin(chain);
        let loopback = if config.ranges.loopback { "yes" } else { "no" };
        [
            alloc::format!("{chain:?}"),
            alloc::format!("{}", config.default_port),
            alloc::format!("{}", config.seeds.names.len()),
            loopback.into(),
        ]
    };
    let expected: Vec<_> = [Chain::Mainnet, Chain::Testnet4, Chain::Signet, Chain::Regtest].map(chain).into();
    assert_eq!(chains(), expected);
}
