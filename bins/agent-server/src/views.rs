//! The JSON on the wire: what comes in and what goes out. Domain types stay free of it.

pub mod account;
pub mod analytics;
pub mod approval;
pub mod audit;
pub mod conversation;
pub mod create_plan;
pub mod edit_plan;
pub mod event;
pub mod execution;
mod kind_fields;
pub mod plan;
pub mod policy;
pub mod policy_check;
pub mod rule;
pub mod scan;
pub mod system;
pub mod task;
pub mod template;
pub mod tenant;
pub mod version;
pub mod webhook;
pub mod websocket;
pub mod words;
pub mod workspace;
pub mod write_template;
