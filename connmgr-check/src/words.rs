//! Enums of unit variants with kebab-case names, which reports print and scenarios use.

/// Defines an enum of unit variants that have a kebab-case name, with `ALL`, `name`, `about` (its documentation),
/// `Display`, `FromStr` and the error of the latter.
#[macro_export]
macro_rules! words {
    (
        $(#[$doc:meta])* $name:ident, $error:ident, $what:literal {
            $($(#[doc = $about:literal])+ $variant:ident => $text:literal,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $about])+ $variant,)+
        }

        impl $name {
            /// Every one, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// What it means, in a sentence.
            pub const fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($about),+).trim_ascii(),)+
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.name())
            }
        }

        impl core::str::FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                Self::ALL.iter().copied().find(|word| word.name() == text).ok_or($error)
            }
        }

        #[doc = concat!("The text names no ", $what, ".")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $error;

        impl core::fmt::Display for $error {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let names: Vec<&str> = $name::ALL.iter().map(|word| word.name()).collect();
                write!(f, concat!("there is no such ", $what, "; there are {}"), names.join(", "))
            }
        }

        impl core::error::Error for $error {}
    };
}
