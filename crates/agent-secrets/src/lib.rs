//! Finds secrets in text and masks them.
//!
//! [`SecretMasker`] knows two kinds: values that it was told, in every spelling in which programs print them (raw, JSON,
//! URL, hexadecimal, the three alignments of base64), and whatever has the shape of a well-known token, a private key, a
//! password in an address or an assignment. [`values_of`] reads the values to tell it from `.env` and other files of
//! credentials. Never reads a file itself, and never sends anything anywhere.
//!
//! It masks one text at a time: a secret that is cut in two by whoever calls is seen by neither call, so text that
//! arrives in pieces is to be passed on in whole lines.
//!
//! ```
//! use agent_core::ports::Redactor;
//! use agent_secrets::SecretMasker;
//!
//! let masker = SecretMasker::builder().known("DATABASE_PASSWORD", "tr0ub4dor&3").build();
//! assert_eq!(masker.redact("login with tr0ub4dor&3"), "login with [secret DATABASE_PASSWORD]");
//! let token = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0".repeat(2));
//! assert_eq!(masker.redact(&token), "[secret github_token]");
//! ```

mod files;
mod judgement;
mod known;
mod masker;
mod rules;
mod spellings;

pub use files::{values_of, values_of_env_file};
pub use masker::{Builder, SecretMasker};
