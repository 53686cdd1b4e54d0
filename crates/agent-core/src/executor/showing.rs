//! Shows an attempt at work to whoever watches: secrets masked, and nothing of it kept.

use super::assignment::Assignment;
use super::wiring::ExecutorPorts;
use crate::ids::{Owner, PlanId, TaskId};
use crate::model::TokenSink;
use crate::ports::Redactor;
use crate::tool::ProgressSink;
use crate::transient::{Audience, Transient, TransientBody};
use std::sync::Arc;

/// A line longer than this is shown in parts, although a secret that is cut in two is not found.
const LONGEST_LINE: usize = 8 * 1024;

/// Where an attempt is shown.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) audience: Arc<dyn Audience>,
    pub(super) redactor: Arc<dyn Redactor>,
    pub(super) plan: (PlanId, Owner),
    pub(super) task: TaskId,
    pub(super) attempt: u32,
}

impl Stage {
    /// Where an attempt is shown, if there is anywhere.
    pub(super) fn of(ports: &ExecutorPorts, assignment: &Assignment) -> Option<Self> {
        let plan = &assignment.state.plan;
        Some(Self {
            audience: Arc::clone(ports.audience.as_ref()?),
            redactor: Arc::clone(&assignment.redactor),
            plan: (plan.id, plan.owner),
            task: assignment.task,
            attempt: assignment.attempt,
        })
    }

    /// Shows what `make` makes of a masked text, unless nobody looks.
    fn show(&self, text: &str, make: impl FnOnce(String) -> TransientBody) {
        let (plan_id, owner) = self.plan;
        if self.audience.watches(plan_id, owner) {
            let body = make(self.redactor.redact(text).into_owned());
            let (task_id, attempt) = (self.task, self.attempt);
            self.audience.show(Transient { plan_id, owner, task_id, attempt, body });
        }
    }
}

impl ProgressSink for Stage {
    fn line(&self, line: &str) {
        self.show(line, |line| TransientBody::ToolOutput { line });
    }
}

/// A model's words on their way, held back until a line is whole.
pub(super) struct Words {
    stage: Option<Stage>,
    held: String,
}

impl Words {
    pub(super) fn new(stage: Option<Stage>) -> Self {
        Self { stage, held: String::new() }
    }

    /// The answer is whole.
    pub(super) fn end(mut self) {
        let rest = self.held.len();
        self.show(rest);
    }

    fn show(&mut self, bytes: usize) {
        let text: String = self.held.drain(..bytes).collect();
        if let Some(stage) = self.stage.as_ref().filter(|_| !text.is_empty()) {
            stage.show(&text, |text| TransientBody::ModelText { text });
        }
    }
}

impl TokenSink for Words {
    fn token(&mut self, text: &str) {
        if self.stage.is_none() {
            return;
        }
        self.held.push_str(text);
        if let Some(end) = self.held.rfind('\n') {
            self.show(end + 1);
        } else if self.held.len() > LONGEST_LINE {
            self.show(self.held.len());
        }
    }

    fn restart(&mut self) {
        self.held.clear();
        if let Some(stage) = &self.stage {
            stage.show("", |_| TransientBody::ModelRestarted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{TenantId, UserId};
    use std::borrow::Cow;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[derive(Default)]
    struct Watcher {
        is_away: AtomicBool,
        seen: Mutex<Vec<TransientBody>>,
    }

    impl Audience for Watcher {
        fn watches(&self, _plan: PlanId, _owner: Owner) -> bool {
            !self.is_away.load(Ordering::SeqCst)
        }

        fn show(&self, transient: Transient) {
            self.seen.lock().unwrap().push(transient.body);
        }
    }

    struct Mask;

    impl Redactor for Mask {
        fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
            text.replace("hunter2", "***").into()
        }
    }

    fn stage(watcher: &Arc<Watcher>) -> Stage {
        Stage {
            audience: Arc::<Watcher>::clone(watcher),
            redactor: Arc::new(Mask),
            plan: (PlanId(1), Owner { tenant: TenantId(1), user: UserId(1) }),
            task: TaskId(1),
            attempt: 1,
        }
    }

    fn text(text: &str) -> TransientBody {
        TransientBody::ModelText { text: text.to_owned() }
    }

    #[test]
    fn words_are_shown_in_whole_lines_so_that_a_secret_that_comes_in_pieces_is_masked() {
        let watcher = Arc::new(Watcher::default());
        let mut words = Words::new(Some(stage(&watcher)));
        for token in ["The pass", "word is hun", "ter2", ".\nDo", "ne"] {
            words.token(token);
        }
        assert_eq!(*watcher.seen.lock().unwrap(), [text("The password is ***.\n")]);
        words.end();
        assert_eq!(watcher.seen.lock().unwrap().last(), Some(&text("Done")));
    }

    #[test]
    fn an_answer_that_begins_anew_takes_back_what_was_held() {
        let watcher = Arc::new(Watcher::default());
        let mut words = Words::new(Some(stage(&watcher)));
        words.token("Half of a");
        words.restart();
        words.token("Another");
        words.end();
        assert_eq!(*watcher.seen.lock().unwrap(), [TransientBody::ModelRestarted, text("Another")]);
    }

    #[test]
    fn a_line_without_end_is_not_held_for_ever() {
        let watcher = Arc::new(Watcher::default());
        let mut words = Words::new(Some(stage(&watcher)));
        words.token(&"x".repeat(LONGEST_LINE + 1));
        assert_eq!(watcher.seen.lock().unwrap().len(), 1);
        assert!(words.held.is_empty());
    }

    #[test]
    fn what_tools_say_is_masked_too_and_nothing_is_made_for_nobody() {
        let watcher = Arc::new(Watcher::default());
        stage(&watcher).line("password=hunter2");
        let line = TransientBody::ToolOutput { line: "password=***".to_owned() };
        assert_eq!(*watcher.seen.lock().unwrap(), [line]);
        watcher.is_away.store(true, Ordering::SeqCst);
        stage(&watcher).line("nobody looks");
        assert_eq!(watcher.seen.lock().unwrap().len(), 1);
    }
}
