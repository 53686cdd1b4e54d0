//! Z19: everything that the ports can be asked for, and every statement of it.

use super::World;
use crate::realm::{
    Realm, count, intent, message, new_key, new_template, once, own_template, question, result, token,
    webhook,
};
use crate::statements::{EXCEPTIONS, STEP, TABLES, fault, is_about, is_excused, run_in};
use crate::world::{at, change, new_user, progress};
use agent_analytics::Dimension;
use agent_analytics::ports::{AnalyticsStore, AttemptsOf, Wanted};
use agent_audit::{Actor, AuditFilter, AuditLog, ChainId, Entry, Outcome};
use agent_auth::Role;
use agent_auth::ports::{
    ApiKeyStore, NewApiKey, NewUser, RefreshTokenStore, RequestKey, TenantStore, UserChange, UserStore,
};
use agent_core::approval::Resolution;
use agent_core::event::Topic;
use agent_core::ids::{Owner, PlanId, TaskId, TenantId, UserId, WorkerId};
use agent_core::model::Usage;
use agent_core::plan::PlanStatus;
use agent_core::ports::{
    ApprovalDecision, ApprovalFilter, Conversations, DailyLimits, EventLog, Journal, MessageFilter,
    ModelUsage, NewApproval, NewMessage, PlanFilter, PlanReader, PlanStore, StepKey, Told, Visibility,
};
use agent_core::pricing::PriceList;
use agent_store::Store;
use agent_templates::ports::TemplateStore;
use agent_templates::{NewOwnTemplate, TemplateBounds, TemplateChange};
use agent_webhooks::{DeliveryQueue, WebhookChange, WebhookStore};
use std::collections::BTreeMap;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(60);

/// Plans: read in every way.
async fn read_plans(store: &Store, realm: &Realm) {
    let (owner, plan, state) = (realm.owner, realm.plan(), &realm.state);
    let tenant = owner.tenant;
    for view in [Visibility::Tenant(tenant), Visibility::Owner(owner)] {
        let filter = PlanFilter {
            visibility: view,
            status: Some(PlanStatus::Running),
            text: Some("work".into()),
            before: Some(PlanId(1_000)),
            limit: 5,
        };
        PlanReader::list(store, &filter).await.unwrap();
        PlanReader::list(store, &PlanFilter { text: Some("nothing like that".into()), ..filter })
            .await
            .unwrap();
        store.counts(view).await.unwrap();
        store.load(Some(view), plan).await.unwrap();
        store.mark(view, plan).await.unwrap();
        let (plan_id, id) = (Some(plan), Some(realm.question));
        for include_decided in [true, false] {
            let asked =
                ApprovalFilter { visibility: view, plan_id, id, include_decided, after: None, limit: 5 };
            store.approvals(&asked).await.unwrap();
        }
        let (role, text) = (Some("user".to_owned()), Some("haste".to_owned()));
        let said =
            MessageFilter { visibility: view, plan_id, role, text, after: Some(realm.message), limit: 5 };
        store.messages(&said).await.unwrap();
    }
    store.load(None, plan).await.unwrap();
    store.attempts(tenant, plan).await.unwrap();
    store.steps(tenant, plan).await.unwrap();
    store.model_usage(tenant, plan).await.unwrap();
    PlanReader::versions(store, tenant, plan).await.unwrap();
    store.recorded(&state.plan, realm.done(), 1).await.unwrap();
    read_figures(store, tenant, [AttemptsOf::Task(realm.done()), AttemptsOf::Plan(plan)]).await;
    for topic in [Topic::Plan(tenant, plan), Topic::Owner(owner), Topic::Tenant(tenant), Topic::Everything] {
        EventLog::read(store, topic, 0, 100).await.unwrap();
        EventLog::head(store, topic).await.unwrap();
    }
    store.touched(0).await.unwrap();
}

/// Figures: asked for in every way, counted, kept.
async fn read_figures(store: &Store, tenant: TenantId, of: [AttemptsOf; 2]) {
    for of in of {
        store.attempts_of(tenant, of).await.unwrap();
    }
    store.behind().await.unwrap();
    let page = Wanted::Page { dimension: Dimension::User, after: Some(String::new()), limit: 5 };
    let from = Wanted::From(vec![(Dimension::Hour, String::new())]);
    for wanted in [Wanted::Nothing, page, from] {
        store.snapshot(tenant, 100, &wanted).await.unwrap();
    }
    count(store, tenant).await;
}

/// Plans: leased, journaled, refused, changed to their end.
async fn write_plans(store: &Store, realm: &mut Realm) {
    let (plan, fence) = (realm.plan(), realm.fence.clone());
    let worker = fence.worker.clone();
    assert!(!store.renew(&worker, LEASE).await.unwrap().is_empty());
    let step = StepKey { position: 2, ..realm.step };
    let call = ModelUsage { model: "large".into(), usage: Usage::default() };
    let limits = DailyLimits { max_tokens: Some(1_000_000), max_cost: None };
    let allowance = limits.allowance(realm.owner, call, &PriceList::default(), at(9)).unwrap();
    store.begin(step, &intent(), vec![progress("a")], at(9), &fence, Some(&allowance)).await.unwrap();
    let said = NewMessage { idempotency: None, ..message(realm.owner, Some(plan)) };
    let told = Told { events: vec![progress("b")], messages: vec![said] };
    for _ in 0..2 {
        store.finish(step, &result(), told.clone(), at(9), &fence).await.unwrap();
    }
    let never = StepKey { position: 9, ..step };
    store.finish(never, &result(), Told::default(), at(9), &fence).await.unwrap_err();

    let mut answer = change(&realm.state);
    let (decision, by) = (Resolution::Approve, "ada".to_owned());
    answer.decisions = vec![ApprovalDecision { task_id: realm.asked(), decision, by, note: None }];
    answer.approvals = vec![NewApproval { sequence: 2, ..question(realm.asked()) }];
    store.commit(&answer, None).await.unwrap();
    store.commit(&answer, Some(&fence)).await.unwrap_err();
    realm.state.plan = answer.plan;
    let mut lost = change(&realm.state);
    lost.tasks = vec![realm.state.tasks[0].clone()];
    lost.tasks[0].id = TaskId(404);
    store.commit(&lost, None).await.unwrap_err();

    PlanStore::release(store, plan, &fence).await.unwrap();
    store.claim(&WorkerId("other".into()), LEASE, Some(plan)).await.unwrap().unwrap();
    assert_eq!(store.claim(&worker, LEASE, Some(plan)).await.unwrap(), None);
    store.claim(&worker, LEASE, None).await.unwrap();
    let mut end = change(&realm.state);
    end.plan.status = PlanStatus::Completed;
    store.commit(&end, None).await.unwrap();
    realm.state.plan = end.plan;
}

/// What is asked for twice under one key.
async fn repeat(store: &Store, realm: &Realm) {
    let owner = realm.owner;
    let again = store.add(&message(owner, Some(realm.plan())), at(9)).await.unwrap();
    assert_eq!(again, realm.message);
    let plan = crate::realm::keyed_plan(owner);
    let again = crate::world::make(store, &plan, PlanStatus::Created, at(9)).await.unwrap();
    assert_eq!(again.plan.id, realm.plan());
    let idempotency = Some(once("a key"));
    let key = |n: i64| {
        let idempotency =
            idempotency.clone().map(|once| agent_core::plan::Idempotency { key: "k".into(), ..once });
        NewApiKey { idempotency, ..new_key(owner, &format!("{n} again of {owner}")) }
    };
    assert_eq!(store.insert(&key(1), at(9)).await.unwrap(), store.insert(&key(2), at(9)).await.unwrap());
    let request_key = |key: &str| {
        let idempotency = agent_core::plan::Idempotency { key: key.into(), fingerprint: "f".into() };
        Some(RequestKey { owner, idempotency })
    };
    for _ in 0..2 {
        let new = new_user(&format!("friend of {owner}"), owner.tenant);
        let new = NewUser { request_key: request_key("u"), ..new };
        UserStore::create(store, &new, at(9)).await.unwrap().unwrap();
        let name = format!("daughter of {owner}");
        store.create_tenant(&name, request_key("t").as_ref(), at(9)).await.unwrap().unwrap();
    }
}

/// Keys, tokens and accounts.
async fn accounts(store: &Store, realm: &Realm) {
    let owner = realm.owner;
    store.find_key(&realm.key.public_id).await.unwrap().unwrap();
    store.touch(realm.key.id, at(9)).await.unwrap();
    let made_by = Some(realm.key.id);
    store.insert(&NewApiKey { made_by, ..new_key(owner, &format!("made {owner}")) }, at(9)).await.unwrap();
    store.keys_of(owner).await.unwrap();
    assert!(store.revoke(owner, realm.key.id, at(9)).await.unwrap());
    store.keep(&token(owner, 2)).await.unwrap();
    for _ in 0..2 {
        store.redeem(&token(owner, 1).token_hash, at(9)).await.unwrap();
    }
    store.revoke_all(owner.user).await.unwrap();
    let users: &dyn UserStore = store;
    users.find_by_name("ada", None).await.unwrap();
    users.find_by_name("ada", Some("default")).await.unwrap();
    users.find(owner).await.unwrap().unwrap();
    users.list(owner.tenant).await.unwrap();
    users.is_empty().await.unwrap();
    let all = UserChange {
        role: Some(Role::Admin),
        password_hash: Some("h".into()),
        disabled: Some(true),
        ..UserChange::default()
    };
    users.update(owner, &all).await.unwrap().unwrap();
    store.tenants().await.unwrap();
    store.tenants_of(owner.user).await.unwrap();
    let guest = Owner { tenant: TenantId::DEFAULT, user: UserId(2) };
    store.set_member(guest, Role::Viewer, at(9)).await.unwrap().unwrap();
    assert!(store.remove_member(guest).await.unwrap());
    store.set_repository_roots(owner.tenant, &["/srv".into()]).await.unwrap();
    store.repository_roots().await.unwrap();
    store.identity().await.unwrap();
}

/// Webhooks, and deliveries to them.
async fn webhooks(store: &Store, owner: Owner) {
    let own = Visibility::Owner(owner);
    let made = webhook(store, owner).await;
    WebhookStore::list(store, own, None, 10).await.unwrap();
    WebhookStore::find(store, own, made.id).await.unwrap();
    WebhookStore::update(store, own, made.id, WebhookChange::default(), at(1)).await.unwrap();
    let lease = Duration::from_secs(60);
    for claimed in store.due(at(2), lease, 10).await.unwrap() {
        store.advance(claimed.claim, 1, at(60_000)).await.unwrap();
        DeliveryQueue::release(store, claimed.claim).await.unwrap();
    }
    WebhookStore::delete(store, own, made.id).await.unwrap();
}

/// Templates of the tenant, and their versions.
async fn templates(store: &Store, owner: Owner) {
    let (tenant, made) = (owner.tenant, own_template(store, owner).await);
    let number = made.record.number;
    for _ in 0..2 {
        let keyed = NewOwnTemplate { idempotency: Some(once_more()), ..new_template(owner, "keyed") };
        TemplateStore::create(store, keyed, TemplateBounds::default()).await.unwrap();
    }
    TemplateStore::list(store, tenant).await.unwrap();
    TemplateStore::find(store, tenant, "tidy_up").await.unwrap();
    let mut template = made.template;
    template.name = "Tidy".into();
    let change = TemplateChange { tenant, number, seen: Some(1), author: "ada".into(), template, at: at(1) };
    TemplateStore::update(store, change, TemplateBounds::default()).await.unwrap();
    for only in [None, Some(1)] {
        TemplateStore::versions(store, tenant, number, only).await.unwrap();
    }
    TemplateStore::delete(store, tenant, number).await.unwrap();
}

fn once_more() -> agent_core::plan::Idempotency {
    agent_core::plan::Idempotency { key: "a template".into(), ..once("a template") }
}

/// The audit trail.
async fn audit(store: &Store, chain: ChainId) {
    for second in 1..=3 {
        let entry = Entry::new(chain, Actor::user(UserId(1), "ada"), "create_plan", Outcome::Success);
        store.append(entry.in_request("r"), at(second * 1_000)).await.unwrap();
    }
    let filter = AuditFilter {
        user_id: Some(UserId(1)),
        action: Some("create_plan".into()),
        outcome: Some(Outcome::Success),
        request_id: Some("r".into()),
        since: Some(at(0)),
        until: Some(at(9_000)),
        after: Some(1),
        ..AuditFilter::of(chain)
    };
    assert_eq!(store.page(&filter).await.unwrap().total, 3);
    store.page(&AuditFilter { newest_first: true, ..filter }).await.unwrap();
    store.chain(chain).await.unwrap();
    store.chains().await.unwrap();
    assert_eq!(store.remove_before(chain, at(2_000)).await.unwrap(), 1);
}

async fn everything(world: &World) -> BTreeMap<String, usize> {
    let store = &world.store;
    let mut realms = Realm::pair(world).await;
    for realm in &mut realms {
        read_plans(store, realm).await;
        write_plans(store, realm).await;
        repeat(store, realm).await;
        webhooks(store, realm.owner).await;
        templates(store, realm.owner).await;
        accounts(store, realm).await;
        audit(store, realm.owner.tenant.into()).await;
    }
    audit(store, ChainId::Server).await;
    run_in(&world.place_of_connections())
}

#[tokio::test]
async fn z19_every_statement_about_rows_of_tenants_names_the_tenant() {
    let Some(world) = World::new().await else { return };
    let run = everything(&world).await;
    let faulty: Vec<_> = run.keys().filter(|statement| fault(statement).is_some()).collect();
    let unexcused: Vec<_> = faulty.iter().filter(|statement| !is_excused(statement)).collect();
    assert!(unexcused.is_empty(), "{unexcused:#?}");
    let unused: Vec<_> = EXCEPTIONS
        .iter()
        .filter(|exception| !faulty.iter().any(|statement| exception.covers(statement)))
        .map(|exception| exception.why)
        .collect();
    assert!(unused.is_empty(), "no statement needs these exceptions any more: {unused:#?}");
    let step = faulty.iter().find(|statement| STEP.covers(statement));
    assert!(step.is_none_or(|step| step.contains(" WHERE id = ? AND tenant_id = ? AND ")), "{step:?}");
    // That nothing was found proves something only where there was something to find.
    for table in TABLES {
        for verb in ["SELECT", "INSERT"] {
            let mut run = run.keys().filter(|statement| is_about(statement, table));
            let written_only = (verb, table) == ("SELECT", "executions");
            let found = run.any(|statement| statement.starts_with(verb) || STEP.covers(statement));
            assert!(written_only || found, "no {verb} about {table} was run");
        }
    }
}

/// What narrows a statement down further than its tenant.
const NARROWER: [&str; 3] = ["owner_id = ?", "plan_id = ?", "task_id = ?"];

#[tokio::test]
async fn naming_the_tenant_makes_no_statement_read_all_that_the_tenant_has() {
    use diesel::RunQueryDsl;
    #[derive(diesel::QueryableByName)]
    struct Line {
        #[diesel(sql_type = diesel::sql_types::Text)]
        detail: String,
    }
    let Some(world) = World::new().await else { return };
    if world.place_of_connections().is_empty() {
        // PostgreSQL knows how large tables are.
        return;
    }
    let run = everything(&world).await;
    let mut looked_at = 0;
    for statement in run.keys().filter(|statement| NARROWER.iter().any(|by| statement.contains(by))) {
        if !["SELECT", "UPDATE", "DELETE"].iter().any(|verb| statement.starts_with(verb)) {
            continue;
        }
        looked_at += 1;
        let explain = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"));
        let plan: Vec<Line> = explain.load(&mut world.connection()).unwrap();
        let by_tenant = plan.iter().find(|line| line.detail.contains("(tenant_id=?"));
        assert!(by_tenant.is_none(), "{statement}: {}", by_tenant.unwrap().detail);
    }
    assert!(looked_at > 20, "{looked_at}");
}

#[tokio::test]
async fn z19_statements_that_are_kept_prepared_are_looked_at_each_time() {
    let Some(world) = World::new().await else { return };
    if world.place_of_connections().is_empty() {
        // There all databases are one place, and other tests run statements too.
        return;
    }
    let state = world.plan(1).await;
    let loads = async |times: usize| {
        for _ in 0..times {
            world.store.load(None, state.plan.id).await.unwrap();
        }
        let run = run_in(&world.place_of_connections());
        run.iter()
            .filter(|(statement, _)| is_about(statement, "tasks"))
            .map(|(_, times)| times)
            .sum::<usize>()
    };
    let once = loads(1).await;
    assert_eq!(loads(3).await, once + 3);
}
