//! Topics by the names clients use, and where an event stands in one.

use crate::error::{Error, Result};
use agent_core::event::{Event, Topic};
use agent_core::ids::PlanId;
use agent_core::ports::Visibility;
use std::fmt;

/// The longest part of a refused name that is repeated in the error.
const SHOWN: usize = 64;

/// A topic as clients name it: what is meant still depends on who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TopicName {
    /// `plan_<id>`: one plan.
    Plan(PlanId),
    /// `all`: everything the listener may see.
    All,
}

impl TopicName {
    /// Reads `all` or `plan_<id>`; the id in plain decimal digits, without sign or leading zeros.
    ///
    /// # Errors
    /// [`Error::UnknownTopic`] for everything else.
    pub fn parse(name: &str) -> Result<Self> {
        let unknown = || Error::UnknownTopic(name.chars().take(SHOWN).collect());
        if name == "all" {
            return Ok(Self::All);
        }
        let digits = name.strip_prefix("plan_").ok_or_else(unknown)?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        match digits.parse::<i64>() {
            Ok(id) if plain => Ok(Self::Plan(PlanId(id))),
            Ok(_) | Err(_) => Err(unknown()),
        }
    }

    /// What the name means for somebody who may see this much. That a plan may be seen at all must be
    /// checked by the caller, who has the plan.
    pub fn seen_by(self, visibility: Visibility) -> Topic {
        match (self, visibility) {
            (Self::Plan(id), visibility) => Topic::Plan(visibility.tenant(), id),
            (Self::All, Visibility::Owner(owner)) => Topic::Owner(owner),
            (Self::All, Visibility::Tenant(tenant)) => Topic::Tenant(tenant),
        }
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan(id) => write!(f, "plan_{id}"),
            Self::All => f.write_str("all"),
        }
    }
}

/// Where an event stands in a topic: what a client passes as `after` to get what follows it.
pub fn position(topic: Topic, event: &Event) -> i64 {
    match topic {
        Topic::Plan(..) => event.seq,
        Topic::Owner(_) | Topic::Tenant(_) | Topic::Everything => event.cursor,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_core::ids::{Owner, TenantId, UserId};

    #[test]
    fn a_name_survives_being_written_and_read() {
        for name in ["all", "plan_1", "plan_9223372036854775807"] {
            assert_eq!(TopicName::parse(name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_names_that_exist() {
        let names = [
            "",
            "All",
            "plan_",
            "plan_0",
            "plan_01",
            "plan_-1",
            "plan_+1",
            "plan_1 ",
            "plan_9223372036854775808",
            "tenant_1",
        ];
        for name in names {
            let error = TopicName::parse(name).unwrap_err().to_string();
            assert!(error.contains("`plan_<id>`"), "{name}: {error}");
        }
    }

    #[test]
    fn all_means_what_the_listener_may_see() {
        let (tenant, user) = (TenantId(2), UserId(3));
        let own = Visibility::Owner(Owner { tenant, user });
        assert_eq!(TopicName::All.seen_by(own), Topic::Owner(Owner { tenant, user }));
        assert_eq!(TopicName::All.seen_by(Visibility::Tenant(tenant)), Topic::Tenant(tenant));
        assert_eq!(TopicName::Plan(PlanId(2)).seen_by(own), Topic::Plan(tenant, PlanId(2)));
    }
}
