//! Walks a syntax tree and takes the definitions out of it.

use std::sync::Arc;

use tree_sitter::{Language as Grammar, Node, Tree};

use super::definition::{Definition, SymbolKind as Kind};
use super::language::OutlineLanguage as Language;
use super::place::Places;
use super::rules::{Rule, rules};

/// Definitions nested deeper than this are not looked for.
const MAX_DEPTH: usize = 48;
/// Declarators of C nested deeper than this have no name.
const MAX_DECLARATORS: usize = 16;
/// Bytes of a name.
const MAX_NAME: usize = 200;

/// The rules of a language by the number of a node's kind.
#[derive(Debug)]
pub(crate) struct Rulebook {
    by_kind: Vec<Option<Rule>>,
}

impl Rulebook {
    pub(crate) fn new(language: Language, grammar: &Grammar) -> Self {
        let mut by_kind = vec![None; grammar.node_kind_count()];
        for (name, rule) in rules(language) {
            // A kind may have several numbers, where the grammar gives one name to several nodes.
            for (number, entry) in by_kind.iter_mut().enumerate() {
                let id = u16::try_from(number).unwrap_or(u16::MAX);
                if grammar.node_kind_is_named(id) && grammar.node_kind_for_id(id) == Some(name) {
                    *entry = Some(rule);
                }
            }
        }
        Self { by_kind }
    }

    fn rule(&self, node: Node<'_>) -> Option<Rule> {
        // Errors have a number beyond those of the grammar.
        if node.is_error() {
            return Some(Rule::Through);
        }
        self.by_kind.get(usize::from(node.kind_id())).copied().flatten()
    }
}

/// To what a definition belongs.
#[derive(Debug, Clone, Copy)]
struct Container<'a> {
    name: &'a str,
    /// Functions of it are methods.
    is_type: bool,
}

/// Takes the definitions of one file.
pub(crate) struct Taker<'a> {
    pub(crate) rulebook: &'a Rulebook,
    pub(crate) places: &'a Places<'a>,
    /// The text that was parsed.
    pub(crate) text: &'a [u8],
    pub(crate) max: usize,
    pub(crate) found: Vec<Definition>,
}

impl<'a> Taker<'a> {
    pub(crate) fn take(&mut self, tree: &'a Tree) {
        self.children(tree.root_node(), None, 0);
    }

    fn children(&mut self, node: Node<'a>, container: Option<Container<'a>>, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let mut cursor = node.walk();
        if !cursor.goto_first_child() {
            return;
        }
        loop {
            let child = cursor.node();
            if let Some(rule) = self.rulebook.rule(child) {
                if self.found.len() >= self.max {
                    return;
                }
                self.apply(rule, child, container, depth + 1);
            }
            if !cursor.goto_next_sibling() {
                return;
            }
        }
    }

    fn apply(&mut self, rule: Rule, node: Node<'a>, container: Option<Container<'a>>, depth: usize) {
        match rule {
            Rule::Through => self.children(node, container, depth),
            Rule::Define(kind) => {
                if let Some(name) = node.child_by_field_name("name") {
                    self.define(name, node, kind, container);
                }
            }
            Rule::Contain(kind) => self.contain(kind, node, container, depth),
            Rule::Implement => {
                let name = node.child_by_field_name("type").map(|name| self.base_name(name));
                let inner = name.map(|name| Container { name, is_type: true });
                self.children(node, inner.or(container), depth);
            }
            Rule::Declarator(kind) => self.declarators(kind, node, container, depth),
            Rule::Names(kind) => self.names(kind, node, container),
            Rule::Receiver => self.receiver(node),
            Rule::TypeSpec => self.type_spec(node, container),
            Rule::Variables => self.variables(node, container, depth),
            Rule::Assign => self.assign(node, container, depth),
            Rule::PythonAssign => self.python_assign(node, container),
        }
    }

    fn contain(&mut self, kind: Kind, node: Node<'a>, container: Option<Container<'a>>, depth: usize) {
        let body = node.child_by_field_name("body");
        let name = node.child_by_field_name("name");
        // `struct point p;` uses a type, and `struct point;` announces it.
        if body.is_none() && matches!(kind, Kind::Struct | Kind::Union | Kind::Class) {
            return;
        }
        let mut inner = container;
        if let Some(name) = name {
            self.define(name, node, kind, container);
            let is_type = kind != Kind::Module;
            inner = Some(Container { name: self.base_name(name), is_type });
        }
        if let Some(body) = body {
            self.children(body, inner, depth);
        }
    }

    fn names(&mut self, kind: Kind, node: Node<'a>, container: Option<Container<'a>>) {
        let mut cursor = node.walk();
        for name in node.children_by_field_name("name", &mut cursor) {
            if name.is_named() && self.text_of(name) != "_" {
                self.define(name, node, kind, container);
            }
        }
    }

    fn receiver(&mut self, node: Node<'a>) {
        let receiver = node.child_by_field_name("receiver").and_then(|list| {
            let parameter = list.named_child(0)?;
            parameter.child_by_field_name("type")
        });
        let name = receiver.map(|node| self.base_name(node));
        if let Some(method) = node.child_by_field_name("name") {
            self.define(method, node, Kind::Method, name.map(|name| Container { name, is_type: true }));
        }
    }

    fn type_spec(&mut self, node: Node<'a>, container: Option<Container<'a>>) {
        let kind = match node.child_by_field_name("type").map(|node| node.kind()) {
            Some("struct_type") => Kind::Struct,
            Some("interface_type") => Kind::Interface,
            _ => Kind::Type,
        };
        if let Some(name) = node.child_by_field_name("name") {
            self.define(name, node, kind, container);
        }
    }

    fn declarators(&mut self, kind: Kind, node: Node<'a>, container: Option<Container<'a>>, depth: usize) {
        // A type may be defined on the way: `typedef struct point { … } point;`.
        self.children(node, container, depth);
        let external = kind == Kind::Variable && self.text_of(node).starts_with("extern");
        let mut cursor = node.walk();
        for declarator in node.children_by_field_name("declarator", &mut cursor) {
            let Some((name, is_function)) = declared_name(declarator) else { continue };
            let kind = if is_function && kind == Kind::Variable { Kind::Function } else { kind };
            let field = container.is_some_and(|container| container.is_type);
            let named = kind != Kind::Variable || !(field || external);
            if named {
                self.define_qualified(name, node, kind, container);
            }
        }
    }

    /// `Shape::area` is the method `area` of `Shape`.
    fn define_qualified(
        &mut self,
        name: Node<'a>,
        whole: Node<'a>,
        kind: Kind,
        outer: Option<Container<'a>>,
    ) {
        let (mut name, mut container) = (name, outer);
        for _ in 0..MAX_DECLARATORS {
            if name.kind() != "qualified_identifier" {
                break;
            }
            if let Some(scope) = name.child_by_field_name("scope") {
                container = Some(Container { name: self.base_name(scope), is_type: true });
            }
            let Some(inner) = name.child_by_field_name("name") else { break };
            name = inner;
        }
        self.define(name, whole, kind, container);
    }

    fn variables(&mut self, node: Node<'a>, container: Option<Container<'a>>, depth: usize) {
        let constant = node.child_by_field_name("kind").is_some_and(|kind| self.text_of(kind) == "const");
        let mut cursor = node.walk();
        for variable in node.named_children(&mut cursor) {
            if variable.kind() == "variable_declarator" {
                self.variable(variable, constant, container, depth);
            }
        }
    }

    fn variable(&mut self, node: Node<'a>, constant: bool, container: Option<Container<'a>>, depth: usize) {
        let Some(name) = node.child_by_field_name("name").filter(|name| name.kind() == "identifier") else {
            return;
        };
        let value = node.child_by_field_name("value");
        let kind = match value.map(|value| value.kind()) {
            Some("arrow_function" | "function_expression" | "generator_function") => Kind::Function,
            Some("class") => Kind::Class,
            _ if constant => Kind::Constant,
            _ => Kind::Variable,
        };
        self.define(name, node, kind, container);
        self.value(name, value, container, depth);
    }

    fn assign(&mut self, node: Node<'a>, container: Option<Container<'a>>, depth: usize) {
        let is_pair = node.kind() == "pair";
        let (left, right) = if is_pair { ("key", "value") } else { ("left", "right") };
        let (Some(left), value) = (node.child_by_field_name(left), node.child_by_field_name(right)) else {
            return;
        };
        let name = left.child_by_field_name("property").unwrap_or(left);
        let nameable =
            matches!(name.kind(), "identifier" | "property_identifier" | "private_property_identifier");
        let (kind, container) = match value.map(|value| value.kind()) {
            Some("arrow_function" | "function_expression" | "generator_function") if nameable => {
                (Some(if is_pair { Kind::Method } else { Kind::Function }), container)
            }
            Some("class") if nameable => (Some(Kind::Class), container),
            _ => (None, container),
        };
        if let Some(kind) = kind {
            self.define(name, node, kind, container);
        }
        self.value(name, value, container, depth);
    }

    /// The definitions inside what a name stands for.
    fn value(
        &mut self,
        name: Node<'a>,
        value: Option<Node<'a>>,
        container: Option<Container<'a>>,
        depth: usize,
    ) {
        let Some(value) = value else { return };
        match value.kind() {
            "class" | "object" => {
                let inner = Container { name: self.base_name(name), is_type: true };
                self.children(value, Some(inner), depth);
            }
            // `exports.a = exports.b = function …`, `const a = (function () { … })()`.
            "assignment_expression" => self.assign(value, container, depth),
            "call_expression" => self.children(value, container, depth),
            _ => {}
        }
    }

    fn python_assign(&mut self, node: Node<'a>, container: Option<Container<'a>>) {
        if container.is_some() {
            return;
        }
        let Some(name) = node.child_by_field_name("left").filter(|left| left.kind() == "identifier") else {
            return;
        };
        let capital = self.text_of(name).bytes().all(|byte| !byte.is_ascii_lowercase());
        self.define(name, node, if capital { Kind::Constant } else { Kind::Variable }, None);
    }

    fn define(&mut self, name: Node<'a>, whole: Node<'a>, kind: Kind, container: Option<Container<'a>>) {
        let text = self.text_of(name);
        if text.is_empty() || text.len() > MAX_NAME || self.found.len() >= self.max {
            return;
        }
        let method = kind == Kind::Function && container.is_some_and(|container| container.is_type);
        let line = self.places.line_of(name.start_byte());
        let end = whole.end_byte().saturating_sub(1).max(name.start_byte());
        self.found.push(Definition {
            name: text.trim_matches(['"', '\'']).into(),
            kind: if method { Kind::Method } else { kind },
            line,
            end_line: self.places.line_of(end).max(line),
            container: container.map(|container| Arc::from(container.name)),
            signature: self.signature(name, whole, line).into(),
        });
    }

    fn signature(&self, name: Node<'_>, whole: Node<'_>, line: u32) -> String {
        match whole.kind() {
            "preproc_def" | "preproc_function_def" => {
                self.places.macro_signature(name.start_byte(), name.end_byte() - name.start_byte())
            }
            _ => self.places.signature(line),
        }
    }

    fn text_of(&self, node: Node<'_>) -> &'a str {
        let text = &self.text[node.start_byte().min(self.text.len())..node.end_byte().min(self.text.len())];
        std::str::from_utf8(text).unwrap_or_default()
    }

    /// The name of a type without its arguments, pointers and path: `Vec` of `&mut std::vec::Vec<T>`.
    fn base_name(&self, node: Node<'_>) -> &'a str {
        let text = self.text_of(node);
        let text = text.trim_start_matches(['&', '*', ' ', '"', '\'', '(']);
        let text = text.strip_prefix("mut ").or_else(|| text.strip_prefix("dyn ")).unwrap_or(text);
        let end = text.find(['<', '[', '(', ' ', '{', '"', '\'', ')', '\n']).unwrap_or(text.len());
        let text = &text[..end];
        let start = text.rfind([':', '.']).map_or(0, |at| at + 1);
        let name = &text[start..];
        if name.len() > MAX_NAME { "" } else { name }
    }
}

/// The name inside a declarator of C, and whether it is that of a function.
fn declared_name(declarator: Node<'_>) -> Option<(Node<'_>, bool)> {
    let (mut node, mut is_function) = (declarator, false);
    for _ in 0..MAX_DECLARATORS {
        match node.kind() {
            "identifier"
            | "field_identifier"
            | "type_identifier"
            | "destructor_name"
            | "operator_name"
            | "qualified_identifier"
            | "operator_cast" => return Some((node, is_function)),
            // `int (*name)(int)` is a pointer.
            "pointer_declarator" | "parenthesized_declarator" if is_function => {
                is_function = false;
            }
            "function_declarator" => is_function = true,
            "template_function" | "template_method" => {
                node = node.child_by_field_name("name")?;
                continue;
            }
            _ => {}
        }
        node = node.child_by_field_name("declarator").or_else(|| last_declarator(node))?;
    }
    None
}

/// Some declarators have no field: `(*name)`, `&name`.
fn last_declarator(node: Node<'_>) -> Option<Node<'_>> {
    let count = u32::try_from(node.named_child_count()).ok()?;
    node.named_child(count.checked_sub(1)?)
}
