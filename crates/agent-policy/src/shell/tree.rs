//! Walks the syntax tree of a script and finds what runs in it.

use super::invocation::{FETCHED, UNKNOWN_SCRIPT};
use super::parse::parse;
use super::word::{word_of, words_of};
use super::{Input, MAX_SCRIPT, Part, Reader, is_shell, scripts};
use crate::word::{Word, shown};
use tree_sitter::Node;

/// A tree is walked this deep.
const MAX_HEIGHT: usize = 150;
/// A script may have so many signs that join or open commands.
const MAX_SIGNS: usize = 4_000;
/// One command is looked for in so much text.
const MAX_WORDS_OF_ONE: usize = 4 * 1024;

/// The words of a script that is nothing but one program with known words.
pub(crate) fn single_command(script: &str) -> Option<Vec<String>> {
    if script.len() > MAX_WORDS_OF_ONE || script.contains("\\\n") {
        return None;
    }
    let tree = parse(script)?;
    let root = tree.root_node();
    if root.has_error() || root.named_child_count() != 1 {
        return None;
    }
    // `a &` leaves its sign beside the command.
    let command = root.child(0).filter(|node| node.kind() == "command" && root.child_count() == 1)?;
    let mut words = Vec::new();
    for child in children(command) {
        if matches!(child.kind(), "variable_assignment" | "herestring_redirect" | "file_redirect") {
            return None;
        }
        words.extend(words_of(child, script));
    }
    // What only a shell would make of a word needs the shell.
    let is_plain = |word: &&str| !word.starts_with('~');
    words.iter().map(|word| word.known().filter(is_plain).map(str::to_owned)).collect()
}

fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect()
}

impl Reader {
    /// Reads a script. Where a backslash joins lines within a word it is read joined as well.
    pub(super) fn script(&mut self, script: &str) {
        self.parsed(script);
        if script.contains("\\\n") {
            self.parsed(&script.replace("\\\n", ""));
        }
    }

    fn parsed(&mut self, script: &str) {
        if script.len() > MAX_SCRIPT {
            return self.unreadable(script, "it is too long to be read");
        }
        // The parser needs the square of the time for what it cannot read.
        if script.bytes().filter(|byte| b"|&;(`{".contains(byte)).count() > MAX_SIGNS {
            return self.unreadable(script, "it has too many parts to be read");
        }
        let Some(tree) = parse(script) else {
            return self.unreadable(script, "it takes too long to be read");
        };
        if tree.root_node().has_error() {
            self.unreadable(script, "it is no complete script");
            self.pieces(script);
        }
        // Nobody writes this but to fill the table of processes.
        let letters: String = script.chars().filter(|letter| !letter.is_whitespace()).collect();
        if letters.contains(":(){:|:&};:") {
            self.danger("it starts copies of itself without end");
        }
        Walk { reader: self, source: script, height: 0, trailing: Vec::new() }
            .node(tree.root_node(), &Input::Inherited);
    }

    /// Reads what stands between the signs that join commands, each by itself. What the parser makes of a script
    /// that it does not understand may hide a command that a shell would run.
    fn pieces(&mut self, script: &str) {
        let pieces: Vec<&str> =
            script.split(['\n', ';', '&', '|']).filter(|piece| !piece.trim().is_empty()).collect();
        if pieces.len() > 1 {
            for piece in pieces {
                self.parsed(piece);
            }
        }
    }
}

/// One walk over one tree.
struct Walk<'r, 's> {
    reader: &'r mut Reader,
    source: &'s str,
    height: usize,
    /// Words that belong to a command and stand behind its redirections.
    trailing: Vec<(usize, Vec<Word>)>,
}

impl<'s> Walk<'_, 's> {
    fn text(&self, node: Node<'_>) -> &'s str {
        self.source.get(node.byte_range()).unwrap_or_default()
    }

    fn node(&mut self, node: Node<'_>, input: &Input) {
        if self.height >= MAX_HEIGHT {
            return self.reader.unreadable(self.text(node), "it is nested too deep");
        }
        self.height += 1;
        match node.kind() {
            "command" => self.command(node, input),
            "pipeline" => self.pipeline(node, None, input),
            "redirected_statement" => self.redirected(node, input),
            "function_definition" => self.function(node),
            "subshell" | "command_substitution" | "process_substitution" => self.apart(node, input),
            "variable_assignment" | "declaration_command" => self.assignment(node),
            "file_redirect" => drop(self.file_redirect(node)),
            "expansion" => {
                self.reader.back_quoted(self.text(node));
                self.all(&children(node), input);
            }
            _ => self.all(&children(node), input),
        }
        self.height -= 1;
    }

    fn all(&mut self, nodes: &[Node<'_>], input: &Input) {
        for node in nodes {
            self.node(*node, input);
        }
    }

    /// A part that cannot change the folder of what follows.
    fn apart(&mut self, node: Node<'_>, input: &Input) {
        let (folder, altered) = (self.reader.folder.clone(), self.reader.is_altered);
        self.all(&children(node), input);
        (self.reader.folder, self.reader.is_altered) = (folder, altered);
    }

    fn assignment(&mut self, node: Node<'_>) {
        let name = node.child_by_field_name("name").map(|name| self.text(name)).unwrap_or_default();
        self.reader.assign(name);
        self.all(&children(node), &Input::Inherited);
    }

    fn function(&mut self, node: Node<'_>) {
        let name =
            node.child_by_field_name("name").map(|name| self.text(name).to_owned()).unwrap_or_default();
        self.reader.functions.insert(name.clone());
        self.reader.inside.push(name);
        for child in children(node).into_iter().filter(|child| child.kind() != "word") {
            self.node(child, &Input::Inherited);
        }
        self.reader.inside.pop();
    }

    /// One program with its words.
    fn command(&mut self, node: Node<'_>, input: &Input) {
        let start = self.reader.reading.parts.len();
        let (mut words, mut altered, mut input) = (Vec::new(), false, input.clone());
        for child in children(node) {
            match child.kind() {
                "variable_assignment" => {
                    let name =
                        child.child_by_field_name("name").map(|name| self.text(name)).unwrap_or_default();
                    altered |= super::wrappers::alters(name);
                    self.all(&children(child), &Input::Inherited);
                }
                "herestring_redirect" => {
                    let text =
                        children(child).first().map_or_else(Word::open, |text| word_of(*text, self.source));
                    self.node(child, &Input::Inherited);
                    input = Input::Text(text);
                }
                "file_redirect" => words.extend(self.file_redirect(child)),
                _ => {
                    self.node_in_word(child);
                    words.extend(words_of(child, self.source));
                }
            }
        }
        if let Some(at) = self.trailing.iter().position(|(id, _)| *id == node.id()) {
            words.extend(self.trailing.swap_remove(at).1);
        }
        let runs_text = words.first().is_some_and(|word| word.program().is_none_or(runs_its_words));
        if runs_text && self.reader.fetches_since(start) {
            self.reader.danger(FETCHED);
        }
        self.reader.run(words, altered, &input);
    }

    /// What runs in order to make a word.
    fn node_in_word(&mut self, node: Node<'_>) {
        if node.child_count() > 0 {
            self.apart(node, &Input::Inherited);
        }
    }

    /// A statement with redirections, which may hold more words of its command, and what follows a here-document.
    fn redirected(&mut self, node: Node<'_>, input: &Input) {
        let (mut more, mut after, mut input) = (Vec::new(), Vec::new(), input.clone());
        let body = node.child_by_field_name("body");
        for child in children(node).into_iter().filter(|child| Some(*child) != body) {
            match child.kind() {
                "file_redirect" => {
                    more.extend(self.file_redirect(child));
                    if self.is_reading(child) {
                        input = Input::Unknown;
                    }
                }
                "heredoc_redirect" => input = self.here_document(child, &mut more, &mut after),
                "herestring_redirect" => {
                    self.node_in_word(child);
                    let text =
                        children(child).first().map_or_else(Word::open, |text| word_of(*text, self.source));
                    input = Input::Text(text);
                }
                _ => self.node(child, &Input::Inherited),
            }
        }
        let start = self.reader.reading.parts.len();
        if let Some(body) = body {
            self.redirected_body(node, body, more, &input);
        }
        for next in after {
            let passes = body.map_or(Input::Unknown, |body| self.output(body, &input));
            match next.kind() {
                "pipeline" => self.pipeline(next, Some((start, passes)), &Input::Unknown),
                _ => self.node(next, &Input::Inherited),
            }
        }
    }

    /// What the redirections are for. The grammar gives those of the last command to a whole list of commands, whose
    /// folder may be another by then, and with them the words that stand behind.
    fn redirected_body(&mut self, node: Node<'_>, body: Node<'_>, more: Vec<Word>, input: &Input) {
        let folder = self.reader.folder.clone();
        if !more.is_empty() {
            let mut last = body;
            while let Some(child) =
                children(last).pop().filter(|_| matches!(last.kind(), "list" | "pipeline"))
            {
                last = child;
            }
            if last.kind() == "command" {
                self.trailing.push((last.id(), more));
            } else {
                self.reader.unreadable(&shown(&more), "words stand behind its redirections");
            }
        }
        self.node(body, input);
        if self.reader.folder != folder {
            for child in children(node).into_iter().filter(|child| child.kind() == "file_redirect") {
                self.file_redirect(child);
            }
        }
    }

    fn here_document<'t>(
        &mut self,
        node: Node<'t>,
        more: &mut Vec<Word>,
        after: &mut Vec<Node<'t>>,
    ) -> Input {
        let (mut text, mut is_quoted) = (String::new(), false);
        for child in children(node) {
            match child.kind() {
                "heredoc_start" => is_quoted = self.text(child).contains(['\'', '"', '\\']),
                "heredoc_end" | "file_descriptor" => {}
                "heredoc_body" => {
                    self.text(child).clone_into(&mut text);
                    if !is_quoted {
                        self.reader.back_quoted(&text);
                    }
                    self.node_in_word(child);
                }
                "file_redirect" => more.extend(self.file_redirect(child)),
                "pipeline"
                | "command"
                | "list"
                | "redirected_statement"
                | "subshell"
                | "compound_statement" => {
                    after.push(child);
                }
                _ => {
                    self.node_in_word(child);
                    more.extend(words_of(child, self.source));
                }
            }
        }
        Input::Text(Word::new(text))
    }

    fn is_reading(&self, redirect: Node<'_>) -> bool {
        let text = self.text(redirect).trim_start_matches(|letter: char| letter.is_ascii_digit());
        text.starts_with('<') && !text.starts_with("<>")
    }

    /// Takes note of the file that is written; the words behind it belong to the command.
    fn file_redirect(&mut self, node: Node<'_>) -> Vec<Word> {
        let mut cursor = node.walk();
        let targets: Vec<Node<'_>> = node.children_by_field_name("destination", &mut cursor).collect();
        for target in &targets {
            self.node_in_word(*target);
        }
        let Some((first, rest)) = targets.split_first() else { return Vec::new() };
        let copies = self.text(node).contains(">&") || self.text(node).contains("<&");
        let is_descriptor = copies && first.kind() == "number";
        let into_process = first.kind() == "process_substitution";
        if !self.is_reading(node) && !is_descriptor && !into_process {
            for target in words_of(*first, self.source) {
                self.reader.write(&target, false, true);
            }
        }
        rest.iter().flat_map(|word| words_of(*word, self.source)).collect()
    }

    /// The stages of a pipeline. `before` is where the parts of a stage in front of it begin, and what it passes on.
    fn pipeline(&mut self, node: Node<'_>, before: Option<(usize, Input)>, input: &Input) {
        let stages = children(node);
        let from = before.as_ref().map_or(self.reader.reading.parts.len(), |(start, _)| *start);
        let mut passed = before.map_or_else(|| input.clone(), |(_, passed)| passed);
        self.fork_bomb(&stages);
        for stage in stages {
            let start = self.reader.reading.parts.len();
            let (folder, altered) = (self.reader.folder.clone(), self.reader.is_altered);
            self.node(stage, &passed);
            (self.reader.folder, self.reader.is_altered) = (folder, altered);
            let parts = &self.reader.reading.parts;
            let feeds = parts[from.min(start)..start].iter().any(Part::fetches);
            if feeds && parts[start..].iter().any(runs_its_input) {
                self.reader.danger(FETCHED);
            }
            passed = self.output(stage, &passed);
        }
    }

    /// A function that calls itself twice at once.
    fn fork_bomb(&mut self, stages: &[Node<'_>]) {
        let names = stages.iter().map(|stage| self.text(*stage).trim());
        let selves = names.filter(|name| self.reader.inside.iter().any(|function| function == name)).count();
        if selves > 1 {
            self.reader.danger("it starts copies of itself without end");
        }
    }

    /// What a stage passes on, where that can be told.
    fn output(&self, stage: Node<'_>, input: &Input) -> Input {
        let body = if stage.kind() == "redirected_statement" {
            stage.child_by_field_name("body")
        } else {
            Some(stage)
        };
        let Some(command) = body.filter(|body| body.kind() == "command") else { return Input::Unknown };
        let words: Vec<Word> =
            children(command).into_iter().flat_map(|child| words_of(child, self.source)).collect();
        let known: Option<Vec<&str>> = words.iter().map(Word::known).collect();
        match known.as_deref() {
            Some(["echo", rest @ ..]) => Input::Text(Word::new(rest.join(" "))),
            Some(["printf", text]) if !text.contains('%') => {
                Input::Text(Word::new(text.replace("\\n", "\n")))
            }
            Some(["printf", "%s" | "%s\\n" | "%s\n", text]) => Input::Text(Word::new(*text)),
            Some(["cat"]) if matches!(input, Input::Text(_)) => input.clone(),
            _ => Input::Unknown,
        }
    }
}

/// Whether a program runs what its words say.
fn runs_its_words(name: &str) -> bool {
    is_shell(name)
        || crate::risk::is_interpreter(name)
        || matches!(name, "eval" | "source" | "." | "env" | "sudo" | "xargs")
}

/// Whether a program runs what it finds at its standard input.
fn runs_its_input(part: &Part) -> bool {
    let Part::Run(run) = part else { return matches!(part, Part::Unreadable(_, UNKNOWN_SCRIPT)) };
    let words = run.innermost();
    let Some(name) = run.program() else { return false };
    if is_shell(name) {
        return match scripts::of_shell(words) {
            scripts::Script::Input => true,
            scripts::Script::File(word) => matches!(word.text(), "/dev/stdin" | "-"),
            scripts::Script::Inline(_) => false,
        };
    }
    scripts::reads_code(name, words)
}
