//! Which nodes of a syntax tree are named in an outline.

use super::definition::SymbolKind as Kind;
use super::language::OutlineLanguage as Language;

/// What a node means for the outline.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule {
    /// It defines what its field `name` says; what is inside is not looked at.
    Define(Kind),
    /// It defines what its field `name` says, and holds definitions that belong to it.
    Contain(Kind),
    /// It defines nothing, but what it holds belongs to the type in its field `type`.
    Implement,
    /// It may hold definitions.
    Through,
    /// A function or a variable whose name is deep in its declarator, as in C.
    Declarator(Kind),
    /// Several names of one kind, as in Go's `const A, B = 1, 2`.
    Names(Kind),
    /// A Go method: its receiver says to what it belongs.
    Receiver,
    /// A Go type: what follows the name says of what kind it is.
    TypeSpec,
    /// JavaScript variables: their values say of what kind they are.
    Variables,
    /// A JavaScript assignment or pair, named only when its value is a function, a class or an object.
    Assign,
    /// A Python assignment.
    PythonAssign,
}

/// The rules of a language; nodes without a rule are passed over with all that is in them. Errors have
/// none: what is recognised inside them is taken.
pub(crate) fn rules(language: Language) -> Vec<(&'static str, Rule)> {
    let mut rules = Vec::new();
    match language {
        Language::Rust => rules.extend_from_slice(RUST),
        Language::Python => rules.extend_from_slice(PYTHON),
        Language::Go => rules.extend_from_slice(GO),
        Language::Java => rules.extend_from_slice(JAVA),
        Language::C => rules.extend_from_slice(C),
        Language::Cpp => {
            rules.extend_from_slice(C);
            rules.extend_from_slice(CPP);
        }
        Language::JavaScript => rules.extend_from_slice(JAVASCRIPT),
        Language::TypeScript | Language::Tsx => {
            rules.extend_from_slice(JAVASCRIPT);
            rules.extend_from_slice(TYPESCRIPT);
        }
    }
    rules
}

const RUST: &[(&str, Rule)] = &[
    ("function_item", Rule::Define(Kind::Function)),
    ("function_signature_item", Rule::Define(Kind::Function)),
    ("struct_item", Rule::Define(Kind::Struct)),
    ("union_item", Rule::Define(Kind::Union)),
    ("enum_item", Rule::Define(Kind::Enum)),
    ("type_item", Rule::Define(Kind::Type)),
    ("const_item", Rule::Define(Kind::Constant)),
    ("static_item", Rule::Define(Kind::Variable)),
    ("macro_definition", Rule::Define(Kind::Macro)),
    ("trait_item", Rule::Contain(Kind::Trait)),
    ("mod_item", Rule::Contain(Kind::Module)),
    ("impl_item", Rule::Implement),
    ("foreign_mod_item", Rule::Through),
    ("declaration_list", Rule::Through),
];

const PYTHON: &[(&str, Rule)] = &[
    ("function_definition", Rule::Define(Kind::Function)),
    ("class_definition", Rule::Contain(Kind::Class)),
    ("decorated_definition", Rule::Through),
    ("block", Rule::Through),
    ("if_statement", Rule::Through),
    ("elif_clause", Rule::Through),
    ("else_clause", Rule::Through),
    ("try_statement", Rule::Through),
    ("except_clause", Rule::Through),
    ("finally_clause", Rule::Through),
    ("with_statement", Rule::Through),
    ("for_statement", Rule::Through),
    ("while_statement", Rule::Through),
    ("expression_statement", Rule::Through),
    ("assignment", Rule::PythonAssign),
];

const GO: &[(&str, Rule)] = &[
    ("function_declaration", Rule::Define(Kind::Function)),
    ("method_declaration", Rule::Receiver),
    ("type_declaration", Rule::Through),
    ("type_spec", Rule::TypeSpec),
    ("type_alias", Rule::Define(Kind::Type)),
    ("const_declaration", Rule::Through),
    ("const_spec", Rule::Names(Kind::Constant)),
    ("var_declaration", Rule::Through),
    ("var_spec_list", Rule::Through),
    ("var_spec", Rule::Names(Kind::Variable)),
];

const JAVA: &[(&str, Rule)] = &[
    ("class_declaration", Rule::Contain(Kind::Class)),
    ("record_declaration", Rule::Contain(Kind::Class)),
    ("interface_declaration", Rule::Contain(Kind::Interface)),
    ("annotation_type_declaration", Rule::Contain(Kind::Interface)),
    ("enum_declaration", Rule::Contain(Kind::Enum)),
    ("method_declaration", Rule::Define(Kind::Method)),
    ("constructor_declaration", Rule::Define(Kind::Method)),
    ("compact_constructor_declaration", Rule::Define(Kind::Method)),
    ("module_declaration", Rule::Define(Kind::Module)),
    ("class_body", Rule::Through),
    ("interface_body", Rule::Through),
    ("annotation_type_body", Rule::Through),
    ("enum_body", Rule::Through),
    ("enum_body_declarations", Rule::Through),
];

const C: &[(&str, Rule)] = &[
    ("function_definition", Rule::Declarator(Kind::Function)),
    ("declaration", Rule::Declarator(Kind::Variable)),
    ("type_definition", Rule::Declarator(Kind::Type)),
    ("struct_specifier", Rule::Contain(Kind::Struct)),
    ("union_specifier", Rule::Contain(Kind::Union)),
    ("enum_specifier", Rule::Define(Kind::Enum)),
    ("preproc_def", Rule::Define(Kind::Macro)),
    ("preproc_function_def", Rule::Define(Kind::Macro)),
    ("preproc_if", Rule::Through),
    ("preproc_ifdef", Rule::Through),
    ("preproc_else", Rule::Through),
    ("preproc_elif", Rule::Through),
    ("preproc_elifdef", Rule::Through),
    ("linkage_specification", Rule::Through),
    ("declaration_list", Rule::Through),
];

const CPP: &[(&str, Rule)] = &[
    ("class_specifier", Rule::Contain(Kind::Class)),
    ("namespace_definition", Rule::Contain(Kind::Module)),
    ("field_declaration", Rule::Declarator(Kind::Variable)),
    ("alias_declaration", Rule::Define(Kind::Type)),
    ("concept_definition", Rule::Define(Kind::Type)),
    ("template_declaration", Rule::Through),
    ("field_declaration_list", Rule::Through),
];

const JAVASCRIPT: &[(&str, Rule)] = &[
    ("function_declaration", Rule::Define(Kind::Function)),
    ("generator_function_declaration", Rule::Define(Kind::Function)),
    ("class_declaration", Rule::Contain(Kind::Class)),
    ("method_definition", Rule::Define(Kind::Method)),
    ("lexical_declaration", Rule::Variables),
    ("variable_declaration", Rule::Variables),
    ("assignment_expression", Rule::Assign),
    ("pair", Rule::Assign),
    ("object", Rule::Through),
    ("class_body", Rule::Through),
    ("export_statement", Rule::Through),
    ("expression_statement", Rule::Through),
    ("parenthesized_expression", Rule::Through),
    ("unary_expression", Rule::Through),
    ("call_expression", Rule::Through),
    ("arguments", Rule::Through),
    ("function_expression", Rule::Through),
    ("arrow_function", Rule::Through),
    ("statement_block", Rule::Through),
    ("if_statement", Rule::Through),
    ("else_clause", Rule::Through),
    ("try_statement", Rule::Through),
    ("catch_clause", Rule::Through),
];

const TYPESCRIPT: &[(&str, Rule)] = &[
    ("function_signature", Rule::Define(Kind::Function)),
    ("abstract_class_declaration", Rule::Contain(Kind::Class)),
    ("interface_declaration", Rule::Define(Kind::Interface)),
    ("enum_declaration", Rule::Define(Kind::Enum)),
    ("type_alias_declaration", Rule::Define(Kind::Type)),
    ("internal_module", Rule::Contain(Kind::Module)),
    ("module", Rule::Contain(Kind::Module)),
    ("method_signature", Rule::Define(Kind::Method)),
    ("abstract_method_signature", Rule::Define(Kind::Method)),
    ("ambient_declaration", Rule::Through),
];
