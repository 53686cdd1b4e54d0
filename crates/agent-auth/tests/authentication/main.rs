//! What callers may count on, case by case (A…: authentication, Z…: authorization), on in-memory stores and
//! a clock moved by hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where by panicking")]

mod accounts;
mod api_keys;
mod derived_keys;
mod first_accounts;
mod fixture;
mod members;
mod memory_stores;
mod parsers;
mod randomness;
mod renewal;
mod sessions;
mod tenants;
mod token_claims;
mod token_forms;
