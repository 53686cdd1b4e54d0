//! Words with a fixed set of values.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An enum of the wire that has the same variants as one of the domain.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $domain:ty { $($(#[$variant_doc:meta])* $variant:ident),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl From<$name> for $domain {
            fn from(word: $name) -> Self {
                match word { $($name::$variant => Self::$variant),+ }
            }
        }

        impl From<$domain> for $name {
            fn from(word: $domain) -> Self {
                match word { $(<$domain>::$variant => Self::$variant),+ }
            }
        }
    )+};
}

words! {
    /// Which of several ready tasks starts first.
    PriorityView = agent_core::plan::Priority {
        /// Before others.
        High,
        /// As usual.
        Medium,
        /// After others.
        Low,
    }

    /// Whether a task may run again when a crash caught it in flight.
    EffectView = agent_core::tool::EffectClass {
        /// Changes nothing; runs again.
        Pure,
        /// May run again.
        Idempotent,
        /// Compared with the files, then redone or accepted; for patches.
        Compensatable,
        /// Never runs again by itself.
        Opaque,
    }

    /// What an opaque task does that was caught in flight.
    OnUnknownView = agent_core::plan::OnUnknown {
        /// Another attempt.
        Retry,
        /// Fails and says why.
        Fail,
        /// Asks a person.
        Ask,
    }

    /// Where a plan stands.
    PlanStatusView = agent_core::plan::PlanStatus {
        /// A language model is finding its tasks.
        Planning,
        /// It has tasks and waits to be executed.
        Created,
        /// Tasks run, or are about to.
        Running,
        /// Nothing new starts until somebody resumes it.
        Paused,
        /// It can only go on when a person decides.
        AwaitingApproval,
        /// Every task is completed.
        Completed,
        /// It ended without reaching the goal.
        Failed,
        /// Somebody ended it.
        Cancelled,
    }

    /// Where a task stands.
    TaskStatusView = agent_core::plan::TaskStatus {
        /// Waits for its dependencies, or for the pause before a retry.
        Pending,
        /// May start as soon as there is room.
        Ready,
        /// An attempt is under way.
        Running,
        /// Waits for a person.
        AwaitingApproval,
        /// Done.
        Completed,
        /// Failed for good.
        Failed,
        /// Will not run because of what happened to others.
        Skipped,
        /// Ended by a person.
        Cancelled,
    }

    /// What may become of a call.
    PermissionView = agent_core::policy::Permission {
        /// The call is made.
        Allow,
        /// A person decides first.
        Ask,
        /// The call is not made.
        Deny,
    }

    /// How much harm a call could do if nothing held it.
    RiskView = agent_core::policy::Risk {
        /// Looks, builds, tests.
        Low,
        /// Changes files of the workspace, or does what nobody has judged.
        Medium,
        /// Deletes, publishes, changes history or permissions, or cannot be read.
        High,
        /// Runs what it fetched, writes to devices, deletes beyond the workspace.
        Critical,
    }

    /// Whose rules decided.
    LayerView = agent_core::policy::Layer {
        /// What holds everywhere.
        Builtin,
        /// Whoever runs the server.
        Server,
        /// The plan's own policy.
        Plan,
    }

    /// What becomes of a call that nobody answered in time.
    OnExpiryView = agent_core::policy::OnExpiry {
        /// It is not made, and the model is told.
        Deny,
        /// The task fails.
        Stop,
    }

    /// Whether files that hold secrets are within reach.
    SecretFilesView = agent_core::policy::SecretFiles {
        /// Commands find them empty where the sandbox can cover them.
        Hidden,
        /// Commands may read them; what they print of them is masked all the same.
        Readable,
    }

    /// What a question to a person is about.
    ApprovalKindView = agent_core::approval::ApprovalKind {
        /// Whether a task may start, or what it asks a person to decide.
        Task,
        /// What a model wants to know.
        Question,
        /// Whether to go on after a crash of which nobody can tell what it did.
        OutcomeUnknown,
        /// Whether a command may run.
        Command,
        /// Whether files may be changed.
        FileChange,
        /// Whether another tool may be called.
        Tool,
    }

    /// When a person is asked before the work goes on.
    ApprovalModeView = agent_core::policy::ApprovalMode {
        /// Nobody is asked.
        Never,
        /// Before files are written.
        Writes,
        /// Before commands are run.
        Commands,
        /// Before both.
        Always,
    }

    /// What happens to the rest of a plan when a task fails for good.
    OnFailureView = agent_core::policy::OnFailure {
        /// Nothing new is started.
        Stop,
        /// Branches that do not depend on the failed task go on.
        Continue,
        /// The planner makes new tasks for what is left, as an edit of the plan, a few times at most; after that, as
        /// `stop`.
        Replan,
    }

    /// Where a plan works.
    WorkspaceModeView = agent_core::policy::WorkspaceMode {
        /// In the repository itself.
        Repository,
        /// In a folder of its own, on a branch `agent/plan-<id>`, until it is merged.
        Isolated,
    }

    /// What commands may touch.
    SandboxView = agent_core::policy::SandboxLevel {
        /// Nothing outside a private temporary folder is writable.
        ReadOnly,
        /// The workspace is writable too.
        WorkspaceWrite,
        /// Everything the server's own account may do.
        FullAccess,
    }

    /// What an account may do.
    RoleView = agent_auth::Role {
        /// Reads.
        Viewer,
        /// Makes and runs plans.
        User,
        /// Sees everything and administers.
        Admin,
    }

    /// What became of a task's definition in an edit.
    DefinitionFateView = agent_core::plan::DefinitionFate {
        /// It is as it was.
        Unchanged,
        /// It is new.
        Added,
        /// It differs.
        Changed,
        /// It is gone.
        Removed,
    }

    /// What became of the work on a task in an edit.
    WorkFateView = agent_core::plan::WorkFate {
        /// There was none yet.
        None,
        /// What is done or under way stands.
        Kept,
        /// What was done is to be done again; where its inputs come out the same, its result is taken again.
        Invalidated,
        /// What was under way was stopped.
        Cancelled,
    }

    /// How much work a template is.
    DifficultyView = agent_templates::Difficulty {
        /// Up to 3 tasks.
        Easy,
        /// 4 to 7 tasks.
        Medium,
        /// 8 tasks and more.
        Hard,
    }

    /// The kind of work of a template's task.
    WorkKindView = agent_templates::WorkKind {
        /// A language model works with tools.
        Agent,
        /// A command is run.
        Command,
        /// The repository is described.
        Scan,
        /// A person decides.
        Approval,
    }

    /// What kind of value a parameter of a template takes.
    ParameterKindView = agent_templates::ParameterKind {
        /// Any text up to 4 KiB.
        String,
        /// A JSON number.
        Number,
        /// `true` or `false`.
        Boolean,
        /// One of the options.
        Select,
    }
}

/// What kind of work a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KindView {
    /// A language model works with tools until it calls finish.
    Agent,
    /// A command is run and must exit 0.
    Command,
    /// A patch is applied, whole or not at all.
    Patch,
    /// The repository is described.
    Scan,
    /// A person decides.
    Approval,
    /// A tool is called once.
    Tool,
}
