//! Names of small enums: one table gives the text of each variant, and reads it.

/// Implements `Display` and `FromStr` for an enum of unit variants, and the error of the latter.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident, $error:ident { $($variant:ident => $text:literal,)+ }) => {
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(match self { $(Self::$variant => $text,)+ })
            }
        }

        impl core::str::FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($error),
                }
            }
        }

        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $error;

        impl core::fmt::Display for $error {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!("none of", $(" ", $text),+))
            }
        }

        impl core::error::Error for $error {}

        #[test]
        fn each_name_reads_and_spells_the_same() {
            use alloc::string::ToString;

            for name in [$($text),+] {
                assert_eq!(name.parse::<$name>().expect(name).to_string(), name);
            }
            let unknown = "no such name".parse::<$name>().expect_err("it is none");
            assert!(unknown.to_string().starts_with("none of "));
        }
    };
}

pub(crate) use names;
