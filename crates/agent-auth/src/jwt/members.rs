//! The JSON objects of a token, read so strictly that two readers cannot disagree about what they say.

use crate::error::{Error, Result};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// A JSON object that is flat (texts, numbers, lists of texts) and in which no name occurs twice: with two, what one
/// reader checks is not what another uses.
#[derive(Debug)]
pub(super) struct Members(BTreeMap<String, Member>);

#[derive(Debug)]
enum Member {
    Text(String),
    Whole(i64),
    Texts(Vec<String>),
    /// Truth values, null, and numbers that are not whole or out of range: never what a token of ours has.
    Other,
}

impl Members {
    pub(super) fn parse(json: &[u8]) -> Result<Self> {
        serde_json::from_slice(json)
            .or(Err(Error::InvalidToken("not a flat JSON object with distinct names")))
    }

    /// Whether these and no others are its members.
    pub(super) fn are_exactly(&self, names: &[&str]) -> bool {
        self.0.len() == names.len() && names.iter().all(|name| self.0.contains_key(*name))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Member::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn whole_number(&self, name: &str) -> Option<i64> {
        match self.0.get(name)? {
            Member::Whole(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether the member is that text, or a list of texts with it.
    pub(super) fn names(&self, name: &str, wanted: &str) -> bool {
        match self.0.get(name) {
            Some(Member::Text(one)) => one == wanted,
            Some(Member::Texts(several)) => several.iter().any(|one| one == wanted),
            _ => false,
        }
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with distinct names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Members, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Member>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name occurs twice"));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Flat;

        impl<'de> Visitor<'de> for Flat {
            type Value = Member;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number or a list of texts")
            }

            fn visit_str<E>(self, text: &str) -> std::result::Result<Member, E> {
                Ok(Member::Text(text.to_owned()))
            }

            fn visit_i64<E>(self, number: i64) -> std::result::Result<Member, E> {
                Ok(Member::Whole(number))
            }

            fn visit_u64<E>(self, number: u64) -> std::result::Result<Member, E> {
                Ok(i64::try_from(number).map_or(Member::Other, Member::Whole))
            }

            fn visit_f64<E>(self, _: f64) -> std::result::Result<Member, E> {
                Ok(Member::Other)
            }

            fn visit_bool<E>(self, _: bool) -> std::result::Result<Member, E> {
                Ok(Member::Other)
            }

            fn visit_unit<E>(self) -> std::result::Result<Member, E> {
                Ok(Member::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Member, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element::<String>()? {
                    texts.push(text);
                }
                Ok(Member::Texts(texts))
            }
        }

        deserializer.deserialize_any(Flat)
    }
}
