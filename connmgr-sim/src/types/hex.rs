//! 64 bits as 16 hexadecimal digits: numbers of this size lose digits in some readers of JSON.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn serialize<S: Serializer>(number: &u64, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(&format_args!("{number:016x}"))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
    let text = String::deserialize(input)?;
    u64::from_str_radix(&text, 16).map_err(D::Error::custom)
}
