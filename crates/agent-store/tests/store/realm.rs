//! One of everything that belongs to a tenant. Two realms differ in nothing but whose they are.

use crate::world::{Backend, World, at, change, new_plan, progress, tenant, user_in};
use agent_analytics::increments;
use agent_analytics::ports::{AnalyticsStore, Wanted};
use agent_auth::Scope;
use agent_auth::ports::{ApiKey, ApiKeyStore, NewApiKey, NewRefreshToken, RefreshTokenStore};
use agent_core::approval::{ApprovalKind, Question};
use agent_core::executor::opening;
use agent_core::ids::{ApprovalId, MessageId, Owner, PlanId, TaskId, TenantId, WorkerId};
use agent_core::model::Usage;
use agent_core::plan::{Idempotency, NewPlan, PlanState, PlanStatus, TaskStatus};
use agent_core::policy::{OnExpiry, Risk};
use agent_core::ports::{
    ApprovalFilter, AttemptChange, Conversations, Fence, Journal, NewApproval, NewExecution, NewMessage,
    NewVersion, PlanReader, PlanStore, StepIntent, StepKey, StepKind, StepResult, StepStatus,
};
use agent_core::pricing::PriceList;
use agent_core::tool::EffectClass;
use agent_store::Store;
use agent_templates::ports::TemplateStore;
use agent_templates::{NewOwnTemplate, OwnTemplate, Template, TemplateBounds};
use agent_webhooks::{Allowed, Destination, NewWebhook, Webhook, WebhookStore, new_secret};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// A running plan with all that can be recorded of one, held by a worker; a message about it, a key and a token.
pub(crate) struct Realm {
    pub(crate) owner: Owner,
    /// As it is stored now.
    pub(crate) state: PlanState,
    pub(crate) fence: Fence,
    pub(crate) step: StepKey,
    pub(crate) question: ApprovalId,
    pub(crate) message: MessageId,
    pub(crate) key: ApiKey,
}

impl Realm {
    pub(crate) async fn furnish(store: &Store, owner: Owner) -> Self {
        let (mut state, fence) = hold(store, owner).await;
        let step = record(store, &state, &fence).await;
        work(store, &mut state, &fence).await;
        edit(store, &mut state, &fence).await;
        let question = ask(store, &mut state, &fence).await;
        let message = store.add(&message(owner, Some(state.plan.id)), at(5)).await.unwrap();
        let key = store.insert(&new_key(owner, &format!("pub{owner}")), at(5)).await.unwrap();
        store.keep(&token(owner, 1)).await.unwrap();
        Self { owner, state, fence, step, question, message, key }
    }

    /// Two, in two tenants; the first is the one that every database has.
    pub(crate) async fn pair<B: Backend>(world: &World<B>) -> [Self; 2] {
        let other = tenant(&world.store, "globex").await;
        let bob = user_in(&world.store, "bob", other).await;
        [Self::furnish(&world.store, world.owner).await, Self::furnish(&world.store, bob).await]
    }

    pub(crate) fn plan(&self) -> PlanId {
        self.state.plan.id
    }

    /// The task that is done.
    pub(crate) fn done(&self) -> TaskId {
        self.state.tasks[0].id
    }

    /// The task about which a person is asked.
    pub(crate) fn asked(&self) -> TaskId {
        self.state.tasks[1].id
    }
}

/// The key under which every realm made its plan.
pub(crate) fn once(fingerprint: &str) -> Idempotency {
    Idempotency { key: "once".into(), fingerprint: fingerprint.into() }
}

pub(crate) fn keyed_plan(owner: Owner) -> NewPlan {
    NewPlan { idempotency: Some(once("a plan")), ..new_plan(owner, 2) }
}

/// A running plan, held from its beginning.
async fn hold(store: &Store, owner: Owner) -> (PlanState, Fence) {
    let plan = keyed_plan(owner);
    let hold = Some((WorkerId("w".into()), Duration::from_secs(600)));
    let opening = opening::open(plan.clone(), PlanStatus::Running, 0, hold, at(0)).unwrap();
    let created = PlanStore::create(store, &opening, plan.idempotency.as_ref()).await.unwrap();
    assert!(created.is_new);
    (created.state, created.fence.unwrap())
}

pub(crate) fn intent() -> StepIntent {
    StepIntent {
        kind: StepKind::Model,
        name: "large".into(),
        effect: EffectClass::Pure,
        input: json!({"reserved": {"input_tokens": 9, "output_tokens": 9}}),
        prepared: Value::Null,
    }
}

pub(crate) fn result() -> StepResult {
    let usage = Usage { input_tokens: 7, output_tokens: 3 };
    StepResult { status: StepStatus::Ok, output: json!("yes"), usage }
}

/// A step, from its intent to its result.
async fn record(store: &Store, state: &PlanState, fence: &Fence) -> StepKey {
    let step = StepKey { plan_id: state.plan.id, task_id: state.tasks[0].id, attempt: 1, position: 1 };
    store.begin(step, &intent(), vec![progress("asks")], at(1), fence, None).await.unwrap();
    store.finish(step, &result(), vec![progress("was told")].into(), at(2), fence).await.unwrap();
    step
}

/// A task that is completed, as executing does it.
async fn work(store: &Store, state: &mut PlanState, fence: &Fence) {
    let mut done = change(state);
    let task = &mut state.tasks[0];
    (task.status, task.attempts) = (TaskStatus::Completed, 1);
    (task.started_at, task.finished_at) = (Some(at(1)), Some(at(2)));
    task.result = Some(json!("done").into());
    done.tasks = vec![task.clone()];
    done.attempts = vec![attempt(task.id)];
    done.events = vec![progress("done")];
    store.commit(&done, Some(fence)).await.unwrap();
    state.plan = done.plan;
}

pub(crate) fn attempt(task_id: TaskId) -> AttemptChange {
    AttemptChange {
        task_id,
        attempt: 1,
        status: TaskStatus::Completed,
        started_at: at(1),
        error: None,
        result_length: 6,
        journaled: true,
    }
}

/// Another definition of the second task, and a third task that comes and goes.
async fn edit(store: &Store, state: &mut PlanState, fence: &Fence) {
    let mut grown = change(state);
    grown.new_tasks = vec![agent_core::plan::TaskSpec::clone(&state.tasks[1].spec)];
    store.commit(&grown, Some(fence)).await.unwrap();
    *state = store.load(None, state.plan.id).await.unwrap();
    let before = state.definition();
    let mut edited = change(state);
    let removed = state.tasks.pop().unwrap().id;
    Arc::make_mut(&mut state.tasks[1].spec).description = "do it another way".into();
    edited.plan.version += 1;
    state.plan = edited.plan.clone();
    edited.removed = vec![removed];
    (edited.tasks, edited.redefined) = (vec![state.tasks[1].clone()], vec![state.tasks[1].id]);
    let after = state.definition();
    edited.version = Some(NewVersion { before, after, changes: Vec::new(), by: "ada".into() });
    store.commit(&edited, Some(fence)).await.unwrap();
}

pub(crate) fn question(task_id: TaskId) -> NewApproval {
    let question = Question {
        kind: ApprovalKind::Command,
        subject: "go on?".into(),
        reason: None,
        risk: Risk::Critical,
        call: None,
        args_hash: "sha256:a".into(),
        scope_hash: "sha256:b".into(),
        covers: json!({}),
        on_expiry: OnExpiry::Deny,
    };
    NewApproval { task_id, sequence: 1, attempt: None, question, expires_at: at(90) }
}

/// A question about the second task, and a request to execute.
async fn ask(store: &Store, state: &mut PlanState, fence: &Fence) -> ApprovalId {
    let mut asking = change(state);
    asking.approvals = vec![question(state.tasks[1].id)];
    asking.execution = Some(NewExecution { task_id: Some(state.tasks[1].id) });
    store.commit(&asking, Some(fence)).await.unwrap();
    state.plan = asking.plan;
    let asked = ApprovalFilter::of_plan(state.plan.owner.tenant, state.plan.id);
    store.approvals(&asked).await.unwrap().0[0].id
}

pub(crate) fn message(owner: Owner, plan_id: Option<PlanId>) -> NewMessage {
    let idempotency = Some(Idempotency { key: "said once".into(), fingerprint: "a message".into() });
    NewMessage { owner, role: "user".into(), content: "Make haste".into(), plan_id, idempotency }
}

pub(crate) fn new_key(owner: Owner, public_id: &str) -> NewApiKey {
    NewApiKey {
        owner,
        made_by: None,
        public_id: public_id.into(),
        secret_hash: vec![7; 32],
        name: "build server".into(),
        scopes: vec![Scope::PlansRead],
        expires_at: None,
        idempotency: None,
    }
}

/// The n-th token of an owner.
pub(crate) fn token(owner: Owner, number: u8) -> NewRefreshToken {
    NewRefreshToken {
        token_hash: format!("token {number} of {owner}").into_bytes(),
        owner,
        family: "one login".into(),
        expires_at: at(1_000_000),
    }
}

/// Counts what a tenant has executed.
pub(crate) async fn count(store: &Store, tenant: TenantId) {
    let fresh = store.snapshot(tenant, 100, &Wanted::Touched).await.unwrap();
    let mut overview = fresh.overview.clone();
    overview.count(&fresh.batch, &PriceList::default());
    let rollups = increments(&fresh.batch.attempts, &PriceList::default());
    assert!(store.keep_sums(tenant, fresh.overview.cursor, &overview, &rollups).await.unwrap());
}

/// A webhook of this owner, for all of their events.
pub(crate) async fn webhook(store: &Store, owner: Owner) -> Webhook {
    let new = NewWebhook {
        owner,
        url: Destination::parse("https://example.com/hook", &Allowed::default()).unwrap(),
        events: Vec::new(),
        secret: new_secret(&[7; 32]),
        cursor: 0,
        created_at: at(0),
        idempotency: None,
    };
    WebhookStore::create(store, new, 20).await.unwrap()
}

/// A checked template of two tasks.
pub(crate) fn template(id: &str) -> Template {
    let text = format!(
        r#"
        id = "{id}"
        name = "Tidy up"
        description = "Removes what nobody uses."
        tags = ["order"]
        goal = "Tidy {{{{folder}}}} up"
        [[parameters]]
        name = "folder"
        kind = "string"
        description = "Where"
        default = "src"
        [[tasks]]
        phase = "Looking"
        description = "Find dead code in {{{{folder}}}}."
        reads = ["{{{{folder}}}}"]
        [[tasks]]
        phase = "Tidying"
        description = "Remove it."
        depends_on = [1]
        writes = ["{{{{folder}}}}"]
        verify = ["true"]
        "#
    );
    Template::from_toml(&text).unwrap()
}

pub(crate) fn new_template(owner: Owner, id: &str) -> NewOwnTemplate {
    NewOwnTemplate {
        owner,
        author: "ada".into(),
        template: template(id),
        created_at: at(0),
        idempotency: None,
    }
}

/// A template of this owner's tenant.
pub(crate) async fn own_template(store: &Store, owner: Owner) -> OwnTemplate {
    TemplateStore::create(store, new_template(owner, "tidy_up"), TemplateBounds::default()).await.unwrap()
}
