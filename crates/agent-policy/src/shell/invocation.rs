//! What one call of a program comes to: through wrappers, into scripts, out to files.

use super::path::{is_open, resolve};
use super::scripts::{Script, handed_to, of_find, of_shell};
use super::wrappers::{alters, find, is_assignment};
use super::{Input, MAX_DEPTH, Part, Reader, Run, View, Write, is_shell, path, targets};
use crate::word::{Word, shown};

const UNKNOWN_PROGRAM: &str = "which program it runs is known only when it runs";
pub(super) const UNKNOWN_SCRIPT: &str = "which script it runs is known only when it runs";
pub(super) const FETCHED: &str = "it runs what it fetched from the network";

impl Reader {
    /// Reads the call of a program with these words. `altered` says whether variables in front change its code.
    pub(super) fn run(&mut self, words: Vec<Word>, altered: bool, input: &Input) {
        let (mut views, mut words, mut altered) = (Vec::new(), words, altered || self.is_altered);
        while let Some(first) = words.first() {
            let Some(name) = first.program().filter(|name| !name.is_empty()) else {
                return self.hidden(views, altered, &words);
            };
            if !name.is_ascii() {
                self.unreadable(&shown(&words), "its program has letters that look like others");
                break;
            }
            if views.is_empty() && self.alias(name, &words, altered, input) {
                return;
            }
            let name = name.to_owned();
            let wrapper = find(&name).filter(|_| !only_looks_up(&name, &words));
            self.scripts(&name, &words);
            let inner = wrapper.map(|wrapper| wrapper.open(&words));
            let needs_leave = wrapper.is_none_or(|wrapper| !wrapper.is_harmless);
            views.push(View::new(std::mem::take(&mut words), needs_leave));
            let Some(inner) = inner else { break };
            altered |= inner.assignments.iter().any(|word| {
                let name = word.text().split('=').next().unwrap_or_default();
                alters(name)
            });
            words = inner.words;
            if views.len() > MAX_DEPTH {
                self.unreadable(&shown(&words), "it is wrapped too often");
                break;
            }
        }
        self.finished(views, altered, input);
    }

    /// A call whose program is not known. What wraps it is known all the same.
    fn hidden(&mut self, views: Vec<View>, altered: bool, words: &[Word]) {
        if !views.is_empty() {
            let run = Run { views, is_altered: altered, is_transparent: true, is_fed: false };
            self.push(Part::Run(run));
        }
        self.unreadable(&shown(words), UNKNOWN_PROGRAM);
    }

    /// Reads what an alias of the script stands for.
    fn alias(&mut self, name: &str, words: &[Word], altered: bool, input: &Input) -> bool {
        let Some(meaning) = self.aliases.remove(name) else { return false };
        let meant: Vec<Word> =
            meaning.split_whitespace().map(Word::new).chain(words[1..].iter().cloned()).collect();
        self.run(meant, altered, input);
        self.aliases.insert(name.to_owned(), meaning);
        true
    }

    fn finished(&mut self, views: Vec<View>, altered: bool, input: &Input) {
        let Some(last) = views.last() else { return };
        let words = last.words.clone();
        let Some(name) = words.first().and_then(Word::program).map(str::to_owned) else { return };
        let is_function = views.len() == 1 && self.functions.contains(&name);
        let mut is_transparent = is_function
            || is_harmless_builtin(&name, &words)
            || matches!(name.as_str(), "eval" | "alias" | "trap");
        if is_shell(&name) {
            is_transparent |= self.shell(&words, input);
        }
        let is_fed = *input != Input::Inherited && super::scripts::reads_code(&name, &words);
        let run = Run { views, is_altered: altered, is_transparent, is_fed };
        self.push(Part::Run(run));
        self.builtins(&name, &words);
        for command in of_find(&name, &words) {
            self.nested(|reader| reader.run(command, altered, &Input::Unknown));
        }
        for target in targets::of(&name, &words) {
            if matches!(name.as_str(), "tee" | "cp" | "mv" | "install" | "ln" | "sed" | "dd") {
                self.written.insert(resolve(&self.folder, target.path.text()));
            }
            self.write(&target.path, target.with_all_beneath, false);
        }
        self.fetched_by(&name, &words);
    }

    /// Reads what stands in back quotes where the grammar does not look for them.
    pub(super) fn back_quoted(&mut self, text: &str) {
        let mut rest = text.split('`').skip(1);
        while let Some(script) = rest.next() {
            match rest.next() {
                Some(_) => self.nested(|reader| reader.apart(|reader| reader.script(script))),
                None => self.unreadable(script, "a back quote is not closed"),
            }
        }
    }

    /// Reads something that is one level deeper.
    pub(super) fn nested(&mut self, read: impl FnOnce(&mut Self)) {
        if self.depth >= MAX_DEPTH {
            return self.unreadable("…", "it is nested too deep");
        }
        self.depth += 1;
        read(self);
        self.depth -= 1;
    }

    /// Reads the script of a shell; whether all that the shell does is known by that.
    fn shell(&mut self, words: &[Word], input: &Input) -> bool {
        let script = match of_shell(words) {
            Script::Inline(word) => word,
            Script::File(word) if is_open(word.text()) => {
                self.unreadable(&shown(words), UNKNOWN_SCRIPT);
                return true;
            }
            Script::File(word) => {
                if self.fetched.contains(&resolve(&self.folder, word.text())) {
                    self.danger(FETCHED);
                }
                return false;
            }
            Script::Input => match input {
                Input::Text(text) => text.clone(),
                Input::Unknown => Word::open(),
                Input::Inherited => return false,
            },
        };
        match script.known() {
            Some(text) => self.nested(|reader| reader.apart(|reader| reader.script(text))),
            None => self.unreadable(&shown(words), UNKNOWN_SCRIPT),
        }
        true
    }

    /// Reads what programs other than shells are handed to run.
    fn scripts(&mut self, name: &str, words: &[Word]) {
        for script in handed_to(name, words) {
            match script {
                Some(text) => self.nested(|reader| reader.script(&text)),
                None => self.unreadable(&shown(words), UNKNOWN_SCRIPT),
            }
        }
        // An alias that begins with `!` is a script.
        if name == "git"
            && words.iter().any(|word| word.text().starts_with("alias.") && word.text().contains('='))
        {
            self.unreadable(&shown(words), "it gives a command of git another meaning");
        }
    }

    /// What the shell itself does at some words.
    fn builtins(&mut self, name: &str, words: &[Word]) {
        match name {
            "cd" | "pushd" => self.change_folder(words),
            "popd" => self.folder = crate::word::UNKNOWN.to_string(),
            "alias" => {
                for word in &words[1..] {
                    let Some((alias, meaning)) = word.known().and_then(|text| text.split_once('=')) else {
                        continue;
                    };
                    self.nested(|reader| reader.script(meaning));
                    self.aliases.insert(alias.to_owned(), meaning.to_owned());
                }
            }
            "source" | "." if words.get(1).is_some_and(|word| is_open(word.text())) => {
                self.unreadable(&shown(words), UNKNOWN_SCRIPT);
            }
            "export" | "declare" | "typeset" | "readonly" | "local" => {
                let assigned = words[1..].iter().filter(|word| is_assignment(word));
                for word in assigned {
                    self.assign(word.text().split('=').next().unwrap_or_default());
                }
            }
            _ => {}
        }
    }

    /// Takes note that the script gives a variable another value.
    pub(super) fn assign(&mut self, name: &str) {
        self.is_altered |= alters(name);
    }

    fn change_folder(&mut self, words: &[Word]) {
        let target = words[1..].iter().find(|word| !word.is_option());
        self.folder = match target.map(Word::text) {
            None => "~".to_owned(),
            Some("-") => crate::word::UNKNOWN.to_string(),
            Some(path) => resolve(&self.folder, path),
        };
    }

    /// Reads something that cannot change the folder and the variables of what follows.
    pub(super) fn apart(&mut self, read: impl FnOnce(&mut Self)) {
        let (folder, altered) = (self.folder.clone(), self.is_altered);
        read(self);
        (self.folder, self.is_altered) = (folder, altered);
    }

    /// Takes note of a file that is written.
    pub(super) fn write(&mut self, target: &Word, with_all_beneath: bool, by_redirection: bool) {
        if path::is_no_file(target.text()) {
            return;
        }
        if target.text().starts_with("/dev/tcp/") || target.text().starts_with("/dev/udp/") {
            return self.unreadable(target.text(), "it speaks to the network by way of the shell");
        }
        let path = Word::new(resolve(&self.folder, target.text()));
        if by_redirection {
            self.written.insert(path.text().to_owned());
        }
        self.push(Part::Write(Write { path, with_all_beneath, by_redirection }));
    }

    /// Takes note of files that are fetched, and of running one.
    fn fetched_by(&mut self, name: &str, words: &[Word]) {
        let program = resolve(&self.folder, words[0].text());
        if self.fetched.contains(&program) {
            self.danger(FETCHED);
        }
        let operand = words[1..].iter().find(|word| !word.is_option());
        let script = match of_shell(words) {
            Script::File(word) if is_shell(name) || matches!(name, "source" | ".") => Some(word),
            Script::File(_) | Script::Inline(_) | Script::Input => None,
        };
        let is_written = |path: &str| self.written.contains(path);
        if words[0].text().contains('/') && is_written(&program)
            || script.is_some_and(|word| is_written(&resolve(&self.folder, word.text())))
        {
            self.unreadable(&shown(words), "it runs what the same command has written");
        }
        let runs_file = crate::risk::is_interpreter(name) || matches!(name, "source" | ".");
        if runs_file && operand.is_some_and(|word| self.fetched.contains(&resolve(&self.folder, word.text())))
        {
            self.danger(FETCHED);
        }
        if crate::risk::FETCHERS.contains(&name) {
            let files = targets::fetched(name, words);
            self.fetched.extend(files.iter().map(|file| resolve(&self.folder, file)));
        }
    }
}

/// Whether the words ask what a program is and do not run it.
fn only_looks_up(name: &str, words: &[Word]) -> bool {
    name == "command" && words.get(1).is_some_and(|word| word.is("-v") || word.is("-V"))
}

/// Whether the shell itself does it, and whoever may run anything may do that too.
fn is_harmless_builtin(name: &str, words: &[Word]) -> bool {
    const NAMES: &[&str] = &[
        "cd", "pushd", "true", "false", ":", "test", "[", "echo", "printf", "pwd", "set", "export", "local",
        "shift", "read", "wait", "exit", "return", "break", "continue", "unset",
    ];
    let leads_out =
        |word: &Word| word.known().is_none_or(|text| text.starts_with(['/', '~']) || text.contains(".."));
    NAMES.contains(&name)
        && !(matches!(name, "cd" | "pushd") && (words.len() < 2 || words.iter().any(leads_out)))
}
