//! Every package may be used under a licence that deny.toml allows.

use crate::workspace::{everything, no_complaints, toml};
use std::collections::BTreeSet;

/// An SPDX expression, read far enough to judge it. See the SPDX specification 2.3, annex D.
struct Expression<'a> {
    tokens: Vec<&'a str>,
    at: usize,
    allowed: &'a BTreeSet<String>,
    used: &'a mut BTreeSet<String>,
}

impl Expression<'_> {
    fn next_is(&mut self, word: &str) -> bool {
        let found = self.tokens.get(self.at) == Some(&word);
        self.at += usize::from(found);
        found
    }

    fn any(&mut self) -> bool {
        let mut allowed = self.all();
        // `/` is how expressions were written before SPDX.
        while self.next_is("OR") || self.next_is("/") {
            allowed |= self.all();
        }
        allowed
    }

    fn all(&mut self) -> bool {
        let mut allowed = self.one();
        while self.next_is("AND") {
            allowed &= self.one();
        }
        allowed
    }

    fn one(&mut self) -> bool {
        if self.next_is("(") {
            let allowed = self.any();
            return self.next_is(")") && allowed;
        }
        let mut name = self.tokens.get(self.at).copied().unwrap_or_default().to_owned();
        self.at += 1;
        if self.next_is("WITH") {
            name = format!("{name} WITH {}", self.tokens.get(self.at).copied().unwrap_or_default());
            self.at += 1;
        }
        let allowed = self.allowed.contains(&name);
        if allowed {
            self.used.insert(name);
        }
        allowed
    }
}

fn is_allowed(expression: &str, allowed: &BTreeSet<String>, used: &mut BTreeSet<String>) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " / ");
    let mut reading = Expression { tokens: spaced.split_whitespace().collect(), at: 0, allowed, used };
    let judged = reading.any();
    judged && reading.at == reading.tokens.len()
}

fn allow_list() -> BTreeSet<String> {
    let deny = toml("deny.toml");
    let list = deny["licenses"]["allow"].as_array().expect("[licenses] allow is a list");
    list.iter().filter_map(|name| name.as_str()).map(str::to_owned).collect()
}

#[test]
fn every_package_has_an_allowed_licence_and_every_allowed_licence_a_package() {
    let (allowed, mut used) = (allow_list(), BTreeSet::new());
    let mut complaints = Vec::new();
    for package in &everything().packages {
        let licence = package.license.as_deref().unwrap_or("none");
        if !is_allowed(licence, &allowed, &mut used) {
            complaints.push(format!(
                "{} {} has the licence {licence}: use another package, or allow it in deny.toml",
                package.name, package.version
            ));
        }
    }
    let unused = allowed.difference(&used);
    complaints.extend(unused.map(|name| format!("no package needs {name}: drop it from deny.toml")));
    no_complaints(&complaints);
}

#[test]
fn packages_come_from_the_registry_only() {
    let foreign = everything().packages.iter().filter(|package| {
        package.source.as_ref().is_some_and(|source| {
            !source.repr.starts_with("registry+https://github.com/rust-lang/crates.io-index")
        })
    });
    no_complaints(&foreign.map(|p| format!("{}: take it from crates.io", p.name)).collect::<Vec<_>>());
}

#[test]
fn expressions_are_judged_as_spdx_means_them() {
    let allowed: BTreeSet<String> =
        ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
    let cases = [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("MIT OR GPL-3.0-only", true),
        ("Unlicense/MIT", true),
        ("MIT AND GPL-3.0-only", false),
        ("ISC AND (GPL-3.0-only OR MIT)", true),
        ("(ISC AND GPL-3.0-only) OR MIT", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0", false),
        ("(MIT", false),
        ("none", false),
    ];
    for (expression, expected) in cases {
        assert_eq!(is_allowed(expression, &allowed, &mut BTreeSet::new()), expected, "{expression}");
    }
}
