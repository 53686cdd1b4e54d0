//! Z19: every statement that any test has the store run is looked at. One about rows of tenants names the tenant.

use diesel::connection::{DebugQuery, Instrumentation, InstrumentationEvent, set_default_instrumentation};
use diesel::{Connection, SqliteConnection};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::{Mutex, Once, PoisonError};

/// The tables whose rows belong to tenants.
pub(crate) const TABLES: [&str; 19] = [
    "analytics_overviews",
    "analytics_rollups",
    "api_keys",
    "approvals",
    "attempts",
    "audit_chains",
    "audit_records",
    "events",
    "executions",
    "idempotency_keys",
    "messages",
    "plan_versions",
    "plans",
    "refresh_tokens",
    "steps",
    "tasks",
    "template_versions",
    "templates",
    "webhooks",
];

/// A statement about rows of tenants that names none, and why it may.
#[derive(Debug)]
pub(crate) struct Exception {
    pub(crate) why: &'static str,
    begins: &'static str,
    ends: &'static str,
}

/// All that there are; one that is no longer used fails a test.
pub(crate) const EXCEPTIONS: &[Exception] = &[
    Exception {
        why: "a key is looked up before anybody knows whose it is",
        begins: "SELECT api_keys.id, ",
        ends: " FROM api_keys WHERE (api_keys.public_id = ?)",
    },
    Exception {
        why: "whoever showed a key is noted by the id that was found with it",
        begins: "UPDATE api_keys SET last_used_at = ? WHERE ((api_keys.id = ?) AND ",
        ends: "(api_keys.last_used_at < ?)))",
    },
    Exception {
        why: "a token is looked up before anybody knows whose it is",
        begins: "SELECT refresh_tokens.tenant_id, ",
        ends: " FROM refresh_tokens WHERE (refresh_tokens.token_hash = ?)",
    },
    Exception {
        why: "a logout everywhere, or a new password, ends the tokens of an account in all tenants",
        begins: "UPDATE refresh_tokens SET revoked = ? ",
        ends: "WHERE (refresh_tokens.user_id = ?)",
    },
    Exception {
        why: "whether there is anything to deliver is asked of all tenants at once; each webhook is joined to its own",
        begins: "SELECT webhooks.id FROM webhooks WHERE ",
        ends: " LIMIT ?",
    },
    Exception {
        why: "what is to be delivered is handed out whosever it is; each webhook is joined to its own",
        begins: "SELECT webhooks.id, webhooks.tenant_id, ",
        ends: " ORDER BY webhooks.claimed_at, webhooks.id LIMIT ?",
    },
    Exception {
        why: "a worker takes the next plan that needs somebody, whosever it is",
        begins: "SELECT plans.id, plans.tenant_id, plans.lease_owner FROM plans WHERE ((plans.status ",
        ends: "(plans.lease_expires_at <= ?))) ORDER BY plans.id LIMIT ?",
    },
    Exception {
        why: "a worker takes the plan that it heard of, whosever it is",
        begins: "SELECT plans.id, plans.tenant_id, plans.lease_owner FROM plans WHERE (((plans.status ",
        ends: "(plans.lease_expires_at <= ?)) OR (plans.lease_owner = ?))) LIMIT ?",
    },
    Exception {
        why: "a worker goes on holding all that it holds",
        begins: "UPDATE plans SET lease_expires_at = ? WHERE ((plans.lease_owner = ?) AND (plans.status ",
        ends: "id",
    },
    Exception {
        why: "the executor loads a plan that it works on; what it writes afterwards names the plan's tenant",
        begins: "SELECT plans.id, plans.owner_id, ",
        ends: " FROM plans WHERE (plans.id = ?)",
    },
    Exception {
        why: "positions grow over all tenants: the next one, and the newest for who hears everything",
        begins: "SELECT max(events.cursor) ",
        ends: " FROM events",
    },
    Exception {
        why: "who hears everything: the bus to other servers, and operators",
        begins: "SELECT events.cursor, ",
        ends: " WHERE (events.cursor > ?) ORDER BY events.cursor LIMIT ?",
    },
    Exception {
        why: "a server looks which plans were changed by others, and wakes those who may hear of each",
        begins: "SELECT events.plan_id, events.tenant_id, events.owner_id, max(events.cursor) FROM events ",
        ends: " GROUP BY events.plan_id, events.tenant_id, events.owner_id",
    },
    Exception {
        why: "retention and verification go through all chains",
        begins: "SELECT audit_chains.tenant_id FROM audit_chains ",
        ends: " ORDER BY audit_chains.tenant_id",
    },
];

/// The one statement of several parts, on PostgreSQL: its first part names the tenant of the plan, and each of the others
/// takes it from there. It is too much for the eye that looks for faults.
pub(crate) const STEP: Exception = Exception {
    why: "every part has a tenant, by `id = ? AND tenant_id = ?` of the plan",
    begins: "WITH plan AS ( UPDATE plans SET status = ?, ",
    ends: " FROM plan LEFT JOIN event ON true ORDER BY event.seq",
};

impl Exception {
    pub(crate) fn covers(&self, statement: &str) -> bool {
        statement.starts_with(self.begins) && statement.ends_with(self.ends)
    }
}

/// Whether there is a reason for a statement to name no tenant.
pub(crate) fn is_excused(statement: &str) -> bool {
    EXCEPTIONS.iter().chain([&STEP]).any(|exception| exception.covers(statement))
}

/// How often each statement was run, by the place of its database. (PostgreSQL's connections do not tell theirs.)
static RUN: Mutex<BTreeMap<String, BTreeMap<String, usize>>> = Mutex::new(BTreeMap::new());

/// Looks at every statement on connections that are opened from now on.
pub(crate) fn watch() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| set_default_instrumentation(watcher).unwrap());
}

/// A connection to a file whose statements are a test's own, and not looked at.
pub(crate) fn unwatched(path: &str) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(path).unwrap();
    connection.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    connection
}

/// The statements run in a database, and how often.
pub(crate) fn run_in(place: &str) -> BTreeMap<String, usize> {
    RUN.lock().unwrap_or_else(PoisonError::into_inner).get(place).cloned().unwrap_or_default()
}

fn watcher() -> Option<Box<dyn Instrumentation>> {
    let mut place = String::new();
    Some(Box::new(move |event: InstrumentationEvent<'_>| match event {
        InstrumentationEvent::StartEstablishConnection { url, .. } => url.clone_into(&mut place),
        InstrumentationEvent::StartQuery { query, .. } => {
            let statement = text_of(query);
            let fault = fault(&statement).filter(|_| !is_excused(&statement));
            let mut run = RUN.lock().unwrap_or_else(PoisonError::into_inner);
            *run.entry(place.clone()).or_default().entry(statement.clone()).or_default() += 1;
            drop(run);
            // Whatever test it is, the query fails, and the test with it.
            assert_eq!(fault, None, "this statement names no tenant: {statement}");
        }
        _ => {}
    }))
}

/// The text of a statement, the same for both databases: without quotes, with one mark for every value.
fn text_of(query: &dyn DebugQuery) -> String {
    /// Takes what comes before the values, which may be long.
    struct UpToValues(String);
    impl fmt::Write for UpToValues {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let end = text.find(" -- binds: ");
            self.0.push_str(&text[..end.unwrap_or(text.len())]);
            if end.is_some() { Err(fmt::Error) } else { Ok(()) }
        }
    }
    let mut text = UpToValues(String::new());
    // It ends with an error where the values begin.
    let _ = write!(text, "{query}");
    let plain = text.0.replace(['`', '"'], "");
    let mut words: Vec<String> = plain.split_whitespace().map(str::to_owned).collect();
    for word in &mut words {
        while let Some(place) = word.find('$') {
            let digits = word[place + 1..].bytes().take_while(u8::is_ascii_digit).count();
            word.replace_range(place..=place + digits, "?");
        }
    }
    words.join(" ")
}

/// The table of tenants that a statement is about without naming the tenant.
pub(crate) fn fault(statement: &str) -> Option<&'static str> {
    let mut tables = TABLES.iter().copied().filter(|table| is_about(statement, table));
    let verb = statement.split(' ').next().unwrap_or_default();
    let named = |table: &&'static str| match verb {
        "INSERT" => statement.split(')').next().is_some_and(|columns| columns.contains("tenant_id")),
        "SELECT" | "UPDATE" | "DELETE" => statement.split_once(" WHERE ").is_some_and(|(_, conditions)| {
            ["=", "IN ("].iter().any(|is| conditions.contains(&format!("{table}.tenant_id {is}")))
                || is_joined_by_key(statement, table)
        }),
        "WITH" => false,
        // What begins and ends transactions, sets up connections, and makes tables.
        _ => true,
    };
    tables.find(|table| !named(table))
}

/// Whether of a table only that row is read which another row names by its id, and which is of the same tenant: other
/// conditions on it would only have SQLite look for it in a less fitting index.
fn is_joined_by_key(statement: &str, table: &str) -> bool {
    let joined = format!("JOIN {table} ON (");
    let condition = statement.split_once(&joined).and_then(|(_, condition)| condition.split(')').next());
    condition.is_some_and(|condition| condition.ends_with(&format!(" = {table}.id")))
}

/// Whether a statement reads or writes a table.
pub(crate) fn is_about(statement: &str, table: &str) -> bool {
    let words: Vec<&str> = statement.split(' ').collect();
    words.windows(2).any(|pair| {
        matches!(pair[0].trim_start_matches('('), "FROM" | "JOIN" | "INTO" | "UPDATE")
            && pair[1].trim_matches(['(', ')', ',', ';']) == table
    })
}

#[test]
fn a_statement_is_judged_by_where_it_names_the_tenant() {
    let named = [
        "SELECT plans.id FROM plans WHERE ((plans.tenant_id = ?) AND (plans.id = ?))",
        "SELECT a.x FROM (attempts INNER JOIN tasks ON (1 = 1)) WHERE attempts.tenant_id = ? AND tasks.tenant_id IN (?)",
        "SELECT a.x FROM (attempts INNER JOIN tasks ON (attempts.task_id = tasks.id)) WHERE (attempts.tenant_id = ?)",
        "INSERT INTO steps (plan_id, tenant_id) VALUES (?, ?)",
        "DELETE FROM idempotency_keys WHERE (idempotency_keys.tenant_id = ?)",
        "SELECT users.id FROM users WHERE (users.id = ?)",
        "PRAGMA query_only = ON; SELECT 1 FROM plans",
        "BEGIN IMMEDIATE",
    ];
    for statement in named {
        assert_eq!(fault(statement), None, "{statement}");
    }
    let unnamed = [
        ("SELECT plans.tenant_id FROM plans WHERE (plans.id = ?)", "plans"),
        ("SELECT max(cursor) FROM events", "events"),
        ("SELECT a.x FROM (attempts INNER JOIN tasks ON (1 = 1)) WHERE attempts.tenant_id = ?", "tasks"),
        (
            "SELECT a.x FROM ((approvals INNER JOIN plans ON a) INNER JOIN tasks ON b) WHERE (a = ?)",
            "approvals",
        ),
        (
            "SELECT a.x FROM (steps INNER JOIN plans ON (plans.id = steps.plan_id)) WHERE (plans.tenant_id = ?)",
            "steps",
        ),
        ("UPDATE plans SET tenant_id = ? WHERE (plans.id = ?)", "plans"),
        ("INSERT INTO steps (plan_id) VALUES (?) RETURNING (steps.tenant_id)", "steps"),
        ("DELETE FROM refresh_tokens", "refresh_tokens"),
        ("WITH x AS (UPDATE plans SET a = 1 WHERE plans.tenant_id = ?) SELECT 1", "plans"),
    ];
    for (statement, table) in unnamed {
        assert_eq!(fault(statement), Some(table), "{statement}");
    }
}
