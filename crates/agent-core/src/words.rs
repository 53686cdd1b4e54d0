//! Enumerations that are one word each, in JSON, in the store and in tokens.

/// Declares an enumeration with its words: `ALL`, `as_str`, `Display`, `FromStr` (whose error names the words there are),
/// and serde with the same words. The crate that uses it depends on `serde`.
///
/// ```
/// agent_core::words! {
///     /// How loud.
///     Volume {
///         /// Hardly heard.
///         Low = "low",
///         /// Heard next door.
///         VeryHigh = "very:high",
///     }
/// }
/// assert_eq!("very:high".parse(), Ok(Volume::VeryHigh));
/// assert_eq!(Volume::Low.as_str(), "low");
/// ```
#[macro_export]
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word used in JSON and in the store.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    other => Err(format!("{other:?} is none of: {}", [$($text),+].join(", "))),
                }
            }
        }
    };
}
