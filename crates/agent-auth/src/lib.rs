//! Says who a caller is and what they may do.
//!
//! Knows tenants and their members, passwords, access tokens (JWT), API keys, roles and scopes; [`Authenticator`] is
//! the front door. Never knows HTTP, SQL, files or the environment: accounts, keys and refresh tokens are kept behind
//! [`ports`], the time comes from [`agent_core::ports::Clock`] and chance from [`ports::RandomBytes`]: unless told
//! otherwise, from the operating system.
//!
//! ```
//! use agent_auth::{SigningKey, SystemRandom};
//! use agent_core::{ids::{Owner, TenantId, UserId}, time::Timestamp};
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), agent_auth::Error> {
//! let key = SigningKey::new("k7Yq0vTzR3nWb5XcJ9mLd2PfHs8GuA1e".into())?;
//! let login = Timestamp::from_micros(1_767_268_800_000_000);
//! let alice = Owner { tenant: TenantId(3), user: UserId(7) };
//! let issued = key.issue(alice, login, login, &SystemRandom)?;
//!
//! let claims = key.verify(&issued.token, login.plus(Duration::from_secs(60)))?;
//! assert_eq!(claims.owner(), alice);
//! assert!(key.verify(&issued.token, login.plus(Duration::from_secs(3700))).is_err());
//! # Ok(())
//! # }
//! ```

mod api_key;
mod authenticator;
mod base64url;
mod error;
mod jwt;
mod name;
mod password;
pub mod ports;
mod principal;
mod random;
mod repetition;
mod throttle;

pub use api_key::ParsedKey;
pub use authenticator::{Authenticator, CreatedKey, Credential, Session, Stores, UpdateUser, parse_scopes};
pub use error::{Error, Result};
pub use jwt::{ACCESS_TOKEN_LIFETIME, AccessClaims, IssuedToken, SigningKey, UnverifiedToken};
pub use name::{check_tenant_name, check_username};
pub use password::{Passwords, Verdict, check_password_rules};
pub use principal::{Principal, Role, Scope};
pub use random::{SystemRandom, secret};
