//! The JSON of requests and answers. What is the same in the domain is the domain's type; answers may have fields that this
//! version does not know.

pub(crate) mod account;
pub(crate) mod analytics;
pub(crate) mod approval;
pub(crate) mod conversation;
pub(crate) mod create_plan;
pub(crate) mod execution;
pub(crate) mod plan;
pub(crate) mod scan;
pub(crate) mod system;
pub(crate) mod template;
