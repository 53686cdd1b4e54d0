//! Reads the text format of Prometheus (0.0.4) as strictly as a scraper does, and more.

use std::collections::{BTreeMap, BTreeSet};

/// A page of metrics.
pub(crate) struct Page {
    /// Kinds by family.
    kinds: BTreeMap<String, String>,
    /// Values by name and labels, the labels in the order of their names.
    samples: BTreeMap<(String, BTreeMap<String, String>), f64>,
}

impl Page {
    /// Reads a page; panics where it breaks the format.
    pub(crate) fn read(text: &str) -> Self {
        let (mut kinds, mut samples) = (BTreeMap::new(), BTreeMap::new());
        let mut helped = BTreeSet::new();
        assert!(text.ends_with('\n'), "the last line ends, too");
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, words) = help.split_once(' ').unwrap();
                assert!(!words.is_empty() && helped.insert(name.to_owned()), "{line}");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert!(["counter", "gauge", "histogram"].contains(&kind) && helped.contains(name), "{line}");
                assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}");
            } else {
                let (key, value) = sample(line);
                assert!(samples.insert(key, value).is_none(), "twice: {line}");
            }
        }
        let page = Self { kinds, samples };
        page.check();
        page
    }

    fn check(&self) {
        for (name, _) in self.samples.keys() {
            let family = self.family(name);
            let kind = family.map(|family| self.kinds[family].as_str());
            assert!(kind.is_some(), "{name} is of no family");
            assert_eq!(kind == Some("counter"), name.ends_with("_total"), "{name}");
        }
        for (name, kind) in &self.kinds {
            let counts = self.samples.iter().filter(|((sample, _), _)| *sample == format!("{name}_count"));
            for ((_, labels), count) in counts.filter(|_| kind == "histogram") {
                self.check_histogram(name, labels, *count);
            }
        }
    }

    /// The buckets of a histogram add up.
    fn check_histogram(&self, name: &str, labels: &BTreeMap<String, String>, count: f64) {
        let bound = |labels: &BTreeMap<String, String>| labels["le"].parse::<f64>().unwrap();
        let mut buckets: Vec<(f64, f64)> = Vec::new();
        for ((sample, found), value) in &self.samples {
            let mut others = found.clone();
            if *sample == format!("{name}_bucket") && others.remove("le").is_some() && others == *labels {
                buckets.push((bound(found), *value));
            }
        }
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        assert!(buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{name}: {buckets:?}");
        assert_eq!(buckets.last(), Some(&(f64::INFINITY, count)), "{name}{labels:?}");
        assert!(self.samples.contains_key(&(format!("{name}_sum"), labels.clone())), "{name}");
    }

    fn family(&self, sample: &str) -> Option<&str> {
        let names = ["", "_bucket", "_sum", "_count"];
        let family = names.iter().filter_map(|end| self.kinds.get_key_value(sample.strip_suffix(end)?));
        family.map(|(name, _)| name.as_str()).next()
    }

    /// One value; 0 where there is none, as a counter is before it first counts.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.samples.get(&(name.to_owned(), labels)).copied().unwrap_or(0.0)
    }

    /// The values of a name, however labelled, together.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        self.samples.iter().filter(|((sample, _), _)| sample == name).map(|(_, value)| value).sum()
    }

    /// Whether the family is there.
    pub(crate) fn has(&self, family: &str) -> bool {
        self.kinds.contains_key(family)
    }

    /// How many series there are.
    pub(crate) fn len(&self) -> usize {
        self.samples.len()
    }

    /// The values that a label has anywhere.
    pub(crate) fn values_of(&self, label: &str) -> BTreeSet<&str> {
        self.samples.keys().filter_map(|(_, labels)| labels.get(label)).map(String::as_str).collect()
    }
}

fn sample(line: &str) -> ((String, BTreeMap<String, String>), f64) {
    let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("no sample: {line:?}"));
    let (name, mut rest) = line.split_at(end);
    let is_name = |text: &str| {
        !text.is_empty()
            && !text.starts_with(|first: char| first.is_ascii_digit())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    assert!(is_name(name), "{line}");
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, behind) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
            let (value, behind) = quoted(behind, line);
            assert!(is_name(label) && labels.insert(label.to_owned(), value).is_none(), "{line}");
            rest = behind.strip_prefix(',').unwrap_or(behind);
        }
        rest = &rest[1..];
    }
    let value = rest.strip_prefix(' ').and_then(|value| value.parse().ok());
    ((name.to_owned(), labels), value.unwrap_or_else(|| panic!("no value: {line}")))
}

/// The text up to the closing quote, and what stands behind that.
fn quoted<'t>(text: &'t str, line: &str) -> (String, &'t str) {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &text[at + 1..]),
            '\\' => match letters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, letter @ ('\\' | '"'))) => value.push(letter),
                _ => panic!("a wrong escape: {line}"),
            },
            letter => value.push(letter),
        }
    }
    panic!("a label without an end: {line}")
}
