//! Named places at which a process can be made to die, so that tests see what a crash at each of them leaves.
//!
//! A build without debug assertions (release and dist) holds none of it: [`reach`] is an empty function there.
//! In a debug build a place kills the process only if `AGENT_FAILPOINT` named it when the process started:
//! `claimed`, or `claimed:3` for the third time that it is passed.

/// Before a driver commits a change.
pub const DRIVER_BEFORE_COMMIT: &str = "driver_before_commit";
/// After a driver committed a change, before anything follows from it.
pub const DRIVER_AFTER_COMMIT: &str = "driver_after_commit";
/// Before the one tool call of a command or scan task, whose attempt is recorded as begun.
pub const JOB_BEFORE_EFFECT: &str = "job_before_effect";
/// After that call, before its result is recorded.
pub const JOB_AFTER_EFFECT: &str = "job_after_effect";
/// After the intent of a step is recorded, before the step.
pub const GATE_AFTER_INTENT: &str = "gate_after_intent";
/// After the step, before its result is recorded.
pub const GATE_AFTER_CALL: &str = "gate_after_call";
/// After the result of a step is recorded.
pub const GATE_AFTER_RESULT: &str = "gate_after_result";
/// In the store, after the work of a transaction that carries events, before its `COMMIT`.
pub const STORE_BEFORE_COMMIT: &str = "store_before_commit";
/// In the store, after that `COMMIT`, before listeners are told.
pub const STORE_AFTER_COMMIT: &str = "store_after_commit";
/// In the store, after listeners were told, before the caller is answered.
pub const STORE_AFTER_TELLING: &str = "store_after_telling";
/// After a plan was claimed, before a driver has it.
pub const CLAIMED: &str = "claimed";
/// After the last work on a plan, before its lease is given back.
pub const BEFORE_RELEASE: &str = "before_release";
/// After a plan was stored, before the request for it is answered.
pub const CREATED: &str = "created";
/// After a request about a plan was committed, before it is answered.
pub const SUBMITTED: &str = "submitted";
/// After the schema was changed, before that is committed.
pub const MIGRATED: &str = "migrated";

/// Every place, so that tests can visit all of them.
pub const PLACES: [&str; 15] = [
    DRIVER_BEFORE_COMMIT,
    DRIVER_AFTER_COMMIT,
    JOB_BEFORE_EFFECT,
    JOB_AFTER_EFFECT,
    GATE_AFTER_INTENT,
    GATE_AFTER_CALL,
    GATE_AFTER_RESULT,
    STORE_BEFORE_COMMIT,
    STORE_AFTER_COMMIT,
    STORE_AFTER_TELLING,
    CLAIMED,
    BEFORE_RELEASE,
    CREATED,
    SUBMITTED,
    MIGRATED,
];

/// Passes a place; nothing happens in a build without debug assertions.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn reach(_place: &'static str) {}

/// Passes a place, and dies there at once, as of `kill -9`, if that is what the process was started for.
#[cfg(debug_assertions)]
pub fn reach(place: &'static str) {
    armed::reach(place);
}

#[cfg(debug_assertions)]
mod armed {
    use super::PLACES;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Armed {
        place: String,
        passes_left: AtomicU64,
    }

    static ARMED: LazyLock<Option<Armed>> = LazyLock::new(|| parse(&asked()?));

    #[expect(
        clippy::disallowed_methods,
        reason = "for tests only: no build that is given to anybody holds this line, and no crate passes it on"
    )]
    fn asked() -> Option<String> {
        std::env::var("AGENT_FAILPOINT").ok()
    }

    /// What is armed; a name that is no place is a mistake of the test, which shall not pass for want of it.
    fn parse(text: &str) -> Option<Armed> {
        let (place, nth) = text.split_once(':').unwrap_or((text, "1"));
        let nth: u64 = nth.parse().unwrap_or(0);
        assert!(PLACES.contains(&place) && nth > 0, "AGENT_FAILPOINT={text}: no such place");
        Some(Armed { place: place.to_owned(), passes_left: AtomicU64::new(nth) })
    }

    pub(super) fn reach(place: &'static str) {
        let Some(armed) = ARMED.as_ref().filter(|armed| armed.place == place) else { return };
        if armed.passes_left.fetch_sub(1, Ordering::SeqCst) == 1 {
            // Nothing is flushed, dropped or told: the process ends as if it had been killed here.
            std::process::abort();
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_place_is_armed_for_its_first_pass_unless_another_is_named() {
            assert_eq!(parse("claimed").unwrap().passes_left.into_inner(), 1);
            let third = parse("created:3").unwrap();
            assert_eq!((third.place.as_str(), third.passes_left.into_inner()), ("created", 3));
        }

        #[test]
        fn what_is_no_place_is_refused() {
            for text in ["", "clamed", "claimed:0", "claimed:x"] {
                assert!(std::panic::catch_unwind(|| parse(text)).is_err(), "{text:?}");
            }
        }
    }
}
