//! What a template asks for, and whether what it is given fits.

use crate::text::{hidden_character, refusal, shortened};
use agent_core::error::Defect;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The longest value of a parameter, in bytes.
const MAX_VALUE: usize = 4 * 1024;

/// The most parameters that are told not to fit.
const MAX_DEFECTS: usize = 100;

/// How many of the names or options that fit are told.
const SHOWN: usize = 20;

/// What kind of value a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterKind {
    /// Any text up to 4 KiB.
    String,
    /// A JSON number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// One of the options, each up to 4 KiB.
    Select,
}

/// One thing that a template wants to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The name between the braces of `{{name}}`.
    pub name: String,
    /// What kind of value it takes.
    pub kind: ParameterKind,
    /// What it is for, for the person who fills it in.
    pub description: String,
    /// What is taken when nothing is given; every parameter that is not required has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// What a `select` can be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Whether a value must be given.
    #[serde(default)]
    pub required: bool,
}

impl Parameter {
    /// The value as text, or why it does not fit.
    fn text_of(&self, value: &Value) -> Result<String, String> {
        match (self.kind, value) {
            (ParameterKind::String, Value::String(text)) => visible(text),
            (ParameterKind::Number, Value::Number(number)) => Ok(number.to_string()),
            (ParameterKind::Boolean, Value::Bool(flag)) => Ok(flag.to_string()),
            (ParameterKind::Select, Value::String(text)) if self.options.contains(text) => visible(text),
            (ParameterKind::String, _) => Err("must be a string".to_owned()),
            (ParameterKind::Number, _) => Err("must be a number".to_owned()),
            (ParameterKind::Boolean, _) => Err("must be true or false".to_owned()),
            (ParameterKind::Select, _) => Err(format!("must be one of: {}", some_of(&self.options))),
        }
    }

    /// What is wrong with the parameter itself, each with the field it is about.
    pub(crate) fn defects(&self, found: &mut dyn FnMut(&str, String)) {
        if !is_name(&self.name) {
            found("name", "must be 1 to 64 of a-z, 0-9 and _, beginning with a letter".to_owned());
        }
        if self.description.trim().is_empty() {
            found("description", "must say what the value is for".to_owned());
        }
        if let Some(hidden) = hidden_character(&self.description) {
            found("description", refusal(hidden));
        }
        match (self.kind, self.options.is_empty()) {
            (ParameterKind::Select, true) => found("options", "a select needs options".to_owned()),
            (ParameterKind::Select, false) | (_, true) => {}
            (_, false) => found("options", "only a select has options".to_owned()),
        }
        if let Some(hidden) = self.options.iter().find_map(|option| hidden_character(option)) {
            found("options", refusal(hidden));
        }
        if self.options.iter().any(|option| option.len() > MAX_VALUE) {
            found("options", format!("an option has at most {MAX_VALUE} bytes"));
        }
        match (&self.default, self.required) {
            (Some(_), true) => found("default", "a required parameter has no default".to_owned()),
            (None, false) => found("default", "a parameter that is not required needs a default".to_owned()),
            (Some(default), false) => {
                if let Err(detail) = self.text_of(default) {
                    found("default", detail);
                }
            }
            (None, true) => {}
        }
    }

    /// A value that fits, for trying a template out: the default, or something of the kind.
    pub(crate) fn sample(&self) -> Value {
        self.default.clone().unwrap_or_else(|| match self.kind {
            ParameterKind::String => self.name.clone().into(),
            ParameterKind::Number => 1.into(),
            ParameterKind::Boolean => true.into(),
            ParameterKind::Select => self.options.first().cloned().into(),
        })
    }
}

fn visible(text: &str) -> Result<String, String> {
    if text.len() > MAX_VALUE {
        return Err(format!("is {} bytes long; at most {MAX_VALUE} are taken", text.len()));
    }
    hidden_character(text).map_or_else(|| Ok(text.to_owned()), |hidden| Err(refusal(hidden)))
}

/// Whether a text can be the id of a template or the name of a parameter.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// The text of every parameter: as given, or by default.
///
/// # Errors
/// A defect for each parameter that is unknown, missing or does not fit, up to a hundred.
pub(crate) fn resolve(
    parameters: &[Parameter],
    given: &Map<String, Value>,
) -> Result<BTreeMap<String, String>, Vec<Defect>> {
    let known: BTreeSet<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let mut defects: Vec<Defect> = given
        .keys()
        .filter(|name| !known.contains(name.as_str()))
        .take(MAX_DEFECTS)
        .map(|name| Defect::new(pointer(name), unknown(parameters)))
        .collect();
    let mut texts = BTreeMap::new();
    for parameter in parameters {
        let Some(value) = given.get(&parameter.name).or(parameter.default.as_ref()) else {
            let detail = format!("is required: {}", parameter.description);
            defects.push(Defect::new(pointer(&parameter.name), detail));
            continue;
        };
        match parameter.text_of(value) {
            Ok(text) if parameter.required && text.trim().is_empty() => {
                defects.push(Defect::new(pointer(&parameter.name), "is required and must not be empty"));
            }
            Ok(text) => {
                texts.insert(parameter.name.clone(), text);
            }
            Err(detail) => defects.push(Defect::new(pointer(&parameter.name), detail)),
        }
    }
    defects.truncate(MAX_DEFECTS);
    if defects.is_empty() { Ok(texts) } else { Err(defects) }
}

fn pointer(name: &str) -> String {
    format!("/parameters/{}", shortened(name).replace('~', "~0").replace('/', "~1"))
}

fn unknown(parameters: &[Parameter]) -> String {
    if parameters.is_empty() {
        return "is unknown; this template takes no parameters".to_owned();
    }
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    format!("is unknown; this template takes: {}", some_of(&names))
}

/// The first of these words, each shortened.
fn some_of(words: &[impl AsRef<str>]) -> String {
    let shown: Vec<String> = words.iter().take(SHOWN).map(|word| shortened(word.as_ref())).collect();
    let more = if words.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
