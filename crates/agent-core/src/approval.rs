//! Questions to people: what is asked, what exactly the answer covers, and which answers there are.

use crate::plan::TaskSpec;
use crate::policy::{OnExpiry, Risk, Rule};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalKind {
    /// Whether a task may start, or what it asks a person to decide.
    #[default]
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

impl ApprovalKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Task, Self::Question, Self::OutcomeUnknown, Self::Command, Self::FileChange, Self::Tool];

    /// The word used in JSON, events and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Question => "question",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Command => "command",
            Self::FileChange => "file_change",
            Self::Tool => "tool",
        }
    }

    /// The kind of that word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether it is about a single call that a model or a task wants to make.
    pub fn is_call(self) -> bool {
        matches!(self, Self::Command | Self::FileChange | Self::Tool)
    }

    /// The answers a person may give.
    pub fn decisions(self) -> &'static [&'static str] {
        if self.is_call() {
            &["approve", "approve_for_plan", "approve_with_rule", "reject", "cancel"]
        } else {
            &["approve", "reject", "cancel"]
        }
    }
}

/// A question to a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// What it is about.
    pub kind: ApprovalKind,
    /// What is asked, in one line.
    pub subject: String,
    /// Why it is asked.
    pub reason: Option<String>,
    /// How much harm a yes could do.
    pub risk: Risk,
    /// Position of the call in its attempt; `None` where it is not about a call. 0 where the call is the whole attempt.
    pub call: Option<u32>,
    /// Hash of the exact bytes that a yes covers, `sha256:…`: another call needs another yes.
    pub args_hash: String,
    /// Hash of what a yes for the whole plan covers: the same command in the same place, or the same files.
    pub scope_hash: String,
    /// What a yes covers, for a person to read; secrets are masked.
    pub covers: Value,
    /// What becomes of it when nobody answers.
    pub on_expiry: OnExpiry,
}

impl Question {
    /// Whether a task may start.
    pub fn about_task(spec: &TaskSpec) -> Self {
        Self::of_task(ApprovalKind::Task, spec.description.clone(), spec)
    }

    /// Whether a task may run again although nobody can tell what its last attempt did.
    pub fn about_unknown(subject: String, spec: &TaskSpec) -> Self {
        Self::of_task(ApprovalKind::OutcomeUnknown, subject, spec)
    }

    /// What a model wants to know.
    pub fn of_model(question: &str, call: u32) -> Self {
        let covers = json!({"question": question});
        let (args_hash, scope_hash) = (hash_of(&covers), hash_of(&covers));
        Self {
            kind: ApprovalKind::Question,
            subject: question.to_owned(),
            reason: None,
            risk: Risk::Low,
            call: Some(call),
            args_hash,
            scope_hash,
            covers,
            on_expiry: OnExpiry::Deny,
        }
    }

    fn of_task(kind: ApprovalKind, subject: String, spec: &TaskSpec) -> Self {
        let covers = serde_json::to_value(spec).unwrap_or(Value::Null);
        let args_hash = hash_of(&covers);
        Self {
            kind,
            subject,
            reason: None,
            risk: Risk::Medium,
            call: None,
            scope_hash: args_hash.clone(),
            args_hash,
            covers,
            on_expiry: OnExpiry::Stop,
        }
    }
}

/// How a question ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", content = "rule", rename_all = "snake_case")]
pub enum Resolution {
    /// Yes, this once.
    Approve,
    /// Yes, and likewise whenever the same is asked in this plan.
    ApproveForPlan,
    /// Yes, and likewise for whatever this rule covers in this plan.
    ApproveWithRule(Box<Rule>),
    /// No; what is said with it is told to whoever asked.
    Reject,
    /// No, and the whole plan ends.
    Cancel,
    /// Nobody answered in time.
    Expired,
    /// The question is no longer asked: the plan ended or was edited.
    Withdrawn,
}

impl Resolution {
    /// The word used in JSON, events and the store.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::ApproveForPlan => "approve_for_plan",
            Self::ApproveWithRule(_) => "approve_with_rule",
            Self::Reject => "reject",
            Self::Cancel => "cancel",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The decision of that word, with the rule that one kind of them carries.
    pub fn parse(word: &str, rule: Option<Rule>) -> Option<Self> {
        match (word, rule) {
            ("approve_with_rule", Some(rule)) => Some(Self::ApproveWithRule(Box::new(rule))),
            ("approve", None) => Some(Self::Approve),
            ("approve_for_plan", None) => Some(Self::ApproveForPlan),
            ("reject", None) => Some(Self::Reject),
            ("cancel", None) => Some(Self::Cancel),
            ("expired", None) => Some(Self::Expired),
            ("withdrawn", None) => Some(Self::Withdrawn),
            _ => None,
        }
    }

    /// The rule it carries.
    pub fn rule(&self) -> Option<&Rule> {
        match self {
            Self::ApproveWithRule(rule) => Some(rule),
            _ => None,
        }
    }

    /// Whether it says yes.
    pub fn approves(&self) -> bool {
        matches!(self, Self::Approve | Self::ApproveForPlan | Self::ApproveWithRule(_))
    }
}

/// The SHA-256 of a document whose keys are in order, as `sha256:` and 64 hexadecimal digits.
pub fn hash_of(document: &Value) -> String {
    let mut text = String::new();
    write_in_order(document, &mut text);
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().fold("sha256:".to_owned(), |hash, byte| hash + &format!("{byte:02x}"))
}

/// Writes JSON with the keys of every object in order, so that equal documents are equal bytes.
fn write_in_order(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort();
            text.push('{');
            for (place, key) in keys.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write_in_order(&fields[key], text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write_in_order(item, text);
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_documents_have_equal_hashes_and_others_do_not() {
        let one: Value = serde_json::from_str(r#"{"b": [1, {"d": 2, "c": 3}], "a": "x"}"#).unwrap();
        let same: Value = serde_json::from_str(r#"{"a": "x", "b": [1, {"c": 3, "d": 2}]}"#).unwrap();
        assert_eq!(hash_of(&one), hash_of(&same));
        assert_ne!(hash_of(&one), hash_of(&json!({"a": "x", "b": [1, {"c": 3, "d": 4}]})));
        assert!(hash_of(&one).starts_with("sha256:") && hash_of(&one).len() == 71);
    }

    #[test]
    fn decisions_survive_the_way_through_their_words() {
        let rule = Rule::command(crate::policy::Permission::Allow, ["cargo", "test"]);
        let all = [
            Resolution::Approve,
            Resolution::ApproveForPlan,
            Resolution::ApproveWithRule(Box::new(rule)),
            Resolution::Reject,
            Resolution::Cancel,
            Resolution::Expired,
            Resolution::Withdrawn,
        ];
        for decision in all {
            assert_eq!(Resolution::parse(decision.as_str(), decision.rule().cloned()), Some(decision));
        }
        assert_eq!(Resolution::parse("approve_with_rule", None), None);
    }
}
