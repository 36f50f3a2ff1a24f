//! Names of small enums: one table gives the text of each variant, and reads it.

use core::fmt;

/// A text is none of the names that were expected. Its own text lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownName(pub(crate) &'static [&'static str]);

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected one of")?;
        self.0.iter().try_for_each(|name| write!(f, " {name}"))
    }
}

impl core::error::Error for UnknownName {}

/// Implements `Display` and `FromStr` for an enum of unit variants.
macro_rules! names {
    ($name:ident { $($variant:ident => $text:literal,)+ }) => {
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(match self { $(Self::$variant => $text,)+ })
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::types::UnknownName(&[$($text),+])),
                }
            }
        }

        #[test]
        fn each_name_reads_and_spells_the_same() {
            use alloc::string::ToString;

            for name in [$($text),+] {
                assert_eq!(name.parse::<$name>().expect(name).to_string(), name);
            }
            let unknown = "no such name".parse::<$name>().expect_err("it is none");
            assert_eq!(unknown.to_string(), concat!("expected one of", $(" ", $text),+));
        }
    };
}

pub(crate) use names;
