//! A few figures about the whole server.

/// What `/stats` tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    /// Plans the caller may see.
    pub total_plans: u64,
    /// Completed ones among them.
    pub completed_plans: u64,
    /// Messages the caller may see.
    pub total_messages: u64,
    /// `none` where no language model is configured.
    pub llm_provider: String,
}
