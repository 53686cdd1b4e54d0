//! Where plans and tasks can stand.

crate::words! {
    /// Where a plan stands.
    PlanStatus {
        /// A language model is finding its tasks.
        Planning = "planning",
        /// It has tasks and waits to be executed.
        Created = "created",
        /// Tasks run, or are about to.
        Running = "running",
        /// Nothing new starts until somebody resumes it.
        Paused = "paused",
        /// It can only go on when a person decides.
        AwaitingApproval = "awaiting_approval",
        /// Every task is completed.
        Completed = "completed",
        /// It ended without reaching the goal.
        Failed = "failed",
        /// Somebody ended it.
        Cancelled = "cancelled",
    }
}

crate::words! {
    /// Where a task stands.
    TaskStatus {
        /// Waits for its dependencies, or for the pause before a retry.
        Pending = "pending",
        /// May start as soon as there is room.
        Ready = "ready",
        /// An attempt is under way.
        Running = "running",
        /// Waits for a person.
        AwaitingApproval = "awaiting_approval",
        /// Done.
        Completed = "completed",
        /// Failed for good.
        Failed = "failed",
        /// Will not run because of what happened to others.
        Skipped = "skipped",
        /// Ended by a person.
        Cancelled = "cancelled",
    }
}

impl PlanStatus {
    /// Whether a worker has something to do or to wait for.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Planning | Self::Running | Self::Paused | Self::AwaitingApproval)
    }

    /// Whether it has ended.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

impl TaskStatus {
    /// Whether it has ended.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Skipped | Self::Cancelled)
    }
}
