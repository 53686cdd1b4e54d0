//! One rule, ready to be held against the parts of a call.

use crate::pattern::{Host, Pattern};
use crate::shell::{Run, View, Write, normal};
use crate::word::{UNKNOWN, Word};
use agent_core::policy::{Permission, Rule, Words};
use std::sync::Arc;

/// Folders whose programs are the ones that everybody means by their names.
const SYSTEM_FOLDERS: &[&str] =
    &["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/opt/homebrew/bin"];

/// How sure it is that a rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Certainty {
    /// It does not.
    No,
    /// What is unknown of the command decides.
    Maybe,
    /// It does.
    Yes,
}

impl Certainty {
    fn of(matches: bool) -> Self {
        if matches { Self::Yes } else { Self::No }
    }
}

/// What a rule is about.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    Command(Vec<Vec<String>>),
    Write(Pattern),
    Tool(Pattern),
    Domain(Arc<Host>),
}

/// A rule and what it is about.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    pub(crate) rule: Arc<Rule>,
    pub(crate) subject: Subject,
}

impl Compiled {
    /// The rule, or what is wrong with it.
    pub(crate) fn new(rule: &Rule) -> Result<Self, String> {
        let named =
            [!rule.command.is_empty(), rule.write.is_some(), rule.tool.is_some(), rule.domain.is_some()];
        if named.iter().filter(|is_named| **is_named).count() != 1 {
            return Err("it must name exactly one of command, write, tool and domain".to_owned());
        }
        let subject = match (&rule.write, &rule.tool, &rule.domain) {
            (Some(path), _, _) => Subject::Write(write(path)?),
            (_, Some(tool), _) if tool.trim().is_empty() => {
                return Err("name the tool; it is empty".to_owned());
            }
            (_, Some(tool), _) => Subject::Tool(Pattern::new(tool)),
            (_, _, Some(domain)) => {
                let host = Host::new(domain);
                host.problem().map_or(Ok(()), Err)?;
                Subject::Domain(Arc::new(host))
            }
            (None, None, None) => Subject::Command(command(&rule.command)?),
        };
        Ok(Self { rule: Arc::new(rule.clone()), subject })
    }

    fn allows(&self) -> bool {
        self.rule.permission == Permission::Allow
    }

    /// Whether it is about this tool.
    pub(crate) fn is_about_tool(&self, tool: &str) -> bool {
        matches!(&self.subject, Subject::Tool(name) if name.matches(tool))
    }

    /// Whether it is about this host. A rule that allows must allow all of what is asked, any other only touch it.
    pub(crate) fn is_about_host(&self, asked: &str) -> bool {
        let Subject::Domain(host) = &self.subject else { return false };
        let asked = Host::new(asked);
        if self.allows() { host.covers(&asked) } else { host.meets(&asked) }
    }

    /// Whether it is about writing this file.
    pub(crate) fn on_write(&self, write: &Write) -> Certainty {
        let Subject::Write(pattern) = &self.subject else { return Certainty::No };
        let path = write.path.text();
        if self.allows() {
            let covers_beneath = || !write.with_all_beneath || pattern.matches(&format!("{path}/x"));
            return Certainty::of(pattern.matches(path) && covers_beneath());
        }
        if pattern.matches(path) || (write.with_all_beneath && pattern.is_beneath(path)) {
            Certainty::Yes
        } else if path.contains(UNKNOWN) && pattern.may_match(path) {
            Certainty::Maybe
        } else {
            Certainty::No
        }
    }

    /// Whether it is about running this.
    pub(crate) fn on_run(&self, run: &Run) -> Certainty {
        let Subject::Command(places) = &self.subject else { return Certainty::No };
        if !self.allows() {
            let certainties = run.views.iter().map(|view| tightens(places, view));
            return certainties.max().unwrap_or(Certainty::No);
        }
        if run.is_altered {
            return Certainty::No;
        }
        // Leave for the outermost program is leave for all; leave for an inner one goes through harmless wrappers only.
        for view in &run.views {
            if allows(places, view) {
                return Certainty::Yes;
            }
            if view.needs_leave {
                break;
            }
        }
        Certainty::No
    }
}

fn write(path: &str) -> Result<Pattern, String> {
    let folders = path.strip_suffix("/**").unwrap_or(path);
    let is_normal = !folders.is_empty() && (normal(folders) == folders);
    if !is_normal || folders.starts_with("..") {
        return Err(format!(
            "\"{path}\" can match no path: write it relative to the repository and without `.` and `..`, such as \"docs/**\""
        ));
    }
    Ok(Pattern::new(path))
}

fn command(words: &[Words]) -> Result<Vec<Vec<String>>, String> {
    let mut places = Vec::with_capacity(words.len());
    for place in words {
        let alternatives = match place {
            Words::One(word) => std::slice::from_ref(word),
            Words::OneOf(words) => words,
        };
        if alternatives.is_empty() || alternatives.iter().any(String::is_empty) {
            return Err("a place of its command is empty: name a word, or several".to_owned());
        }
        if let Some(word) = alternatives.iter().find(|word| word.chars().any(char::is_whitespace)) {
            return Err(format!("\"{word}\" holds a space: write each word of the command by itself"));
        }
        places.push(alternatives.to_vec());
    }
    Ok(places)
}

/// The lists of words that a view may be known by.
fn spellings(view: &View) -> impl Iterator<Item = &[Word]> {
    std::iter::once(view.words.as_slice()).chain(view.bare.iter().map(|(bare, _)| bare.as_slice()))
}

fn tightens(places: &[Vec<String>], view: &View) -> Certainty {
    spellings(view).map(|words| begins(places, words)).max().unwrap_or(Certainty::No)
}

fn begins(places: &[Vec<String>], words: &[Word]) -> Certainty {
    for (at, place) in places.iter().enumerate() {
        let Some(word) = words.get(at) else { return Certainty::No };
        let Some(text) = word.known() else {
            // An unknown word may be several words, or none.
            let fits = place.iter().any(|wanted| Pattern::literal(wanted).may_match(word.text()));
            return if fits { Certainty::Maybe } else { Certainty::No };
        };
        let name = if at == 0 { word.program().unwrap_or_default() } else { text };
        if !place.iter().any(|wanted| wanted == name || wanted == text) {
            return Certainty::No;
        }
    }
    Certainty::Yes
}

fn allows(places: &[Vec<String>], view: &View) -> bool {
    let mut spelled = vec![view.words.as_slice()];
    if let Some((bare, true)) = &view.bare {
        spelled.push(bare);
    }
    spelled.into_iter().any(|words| {
        let Some(program) = words.first().and_then(Word::known) else { return false };
        let folder = program.rsplit_once('/').map(|(folder, _)| folder);
        let is_named = places[0].iter().any(|wanted| wanted == program);
        let is_usual =
            is_named || folder.is_none_or(|folder| SYSTEM_FOLDERS.contains(&normal(folder).as_str()));
        is_usual && begins(places, words) == Certainty::Yes
    })
}
