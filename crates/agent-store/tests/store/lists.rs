//! Pages, counts and figures.

use super::World;
use crate::world::{at, change, make, new_plan, user};
use agent_core::ids::{PlanId, TenantId, UserId};
use agent_core::plan::{NewPlan, PlanState, PlanStatus, TaskStatus};
use agent_core::ports::{PlanCounts, PlanFilter, PlanReader, PlanStore, Visibility};

fn everything(limit: u32) -> PlanFilter {
    PlanFilter {
        visibility: Visibility::Tenant(TenantId::DEFAULT),
        status: None,
        text: None,
        before: None,
        limit,
    }
}

async fn with_goal(world: &World, goal: &str) -> PlanId {
    let new = NewPlan { goal: goal.into(), ..new_plan(world.owner, 1) };
    make(&world.store, &new, PlanStatus::Created, at(0)).await.unwrap().plan.id
}

async fn ids(world: &World, filter: &PlanFilter) -> Vec<PlanId> {
    world.store.list(filter).await.unwrap().plans.iter().map(|summary| summary.plan.id).collect()
}

#[tokio::test]
async fn pages_stay_as_they_are_while_plans_are_added() {
    let Some(world) = World::new().await else { return };
    let mut made = Vec::new();
    for _ in 0..7 {
        made.insert(0, world.plan(1).await.plan.id);
    }
    let (mut seen, mut filter) = (Vec::new(), everything(3));
    loop {
        let page = world.store.list(&filter).await.unwrap();
        seen.extend(page.plans.iter().map(|summary| summary.plan.id));
        world.plan(1).await;
        match page.next {
            Some(next) => filter.before = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, made);
}

#[tokio::test]
async fn a_full_last_page_has_no_next_one_and_the_total_counts_all_pages() {
    let Some(world) = World::new().await else { return };
    for _ in 0..4 {
        world.plan(1).await;
    }
    let first = world.store.list(&everything(2)).await.unwrap();
    assert_eq!((first.total, first.plans.len()), (4, 2));
    let last = world.store.list(&PlanFilter { before: first.next, ..everything(2) }).await.unwrap();
    assert_eq!((last.total, last.plans.len(), last.next), (4, 2, None));
}

#[tokio::test]
async fn a_search_takes_every_character_literally_and_ignores_case() {
    let Some(world) = World::new().await else { return };
    let percent = with_goal(&world, "Reach 100% coverage").await;
    let underscore = with_goal(&world, "Rename snake_case names").await;
    let backslash = with_goal(&world, "Escape C:\\temp").await;
    with_goal(&world, "Reach 1000 users snakeXcase").await;
    let search = |text: &str| PlanFilter { text: Some(text.into()), ..everything(10) };
    assert_eq!(ids(&world, &search("100%")).await, [percent]);
    assert_eq!(ids(&world, &search("SNAKE_case")).await, [underscore]);
    assert_eq!(ids(&world, &search("c:\\T")).await, [backslash]);
    assert_eq!(ids(&world, &search("'; DROP TABLE plans; --")).await, []);
    assert_eq!(ids(&world, &search("")).await.len(), 4);
}

#[tokio::test]
async fn a_list_holds_only_what_is_visible_and_asked_for() {
    let Some(world) = World::new().await else { return };
    let mine = world.plan(1).await.plan.id;
    let eve = user(&world.store, "eve").await;
    let hers = make(&world.store, &new_plan(eve, 1), PlanStatus::Paused, at(0)).await.unwrap().plan.id;
    let own = |visibility| PlanFilter { visibility, ..everything(10) };
    assert_eq!(ids(&world, &own(Visibility::Owner(world.owner))).await, [mine]);
    assert_eq!(ids(&world, &everything(10)).await, [hers, mine]);
    let paused = PlanFilter { status: Some(PlanStatus::Paused), ..everything(10) };
    assert_eq!(ids(&world, &paused).await, [hers]);
    assert_eq!(world.store.list(&paused).await.unwrap().total, 1);
}

async fn complete(world: &World, state: &PlanState, n_tasks: usize) {
    let mut next = change(state);
    next.plan.status = PlanStatus::Completed;
    next.tasks = state.tasks[..n_tasks].to_vec();
    for task in &mut next.tasks {
        task.status = TaskStatus::Completed;
    }
    world.store.commit(&next, None).await.unwrap();
}

#[tokio::test]
async fn each_plan_in_a_list_says_how_many_of_its_tasks_are_completed() {
    let Some(world) = World::new().await else { return };
    let planning = new_plan(world.owner, 0);
    make(&world.store, &planning, PlanStatus::Planning, at(0)).await.unwrap();
    let three = world.plan(3).await;
    complete(&world, &three, 2).await;
    let page = world.store.list(&everything(10)).await.unwrap();
    let counts: Vec<_> = page.plans.iter().map(|summary| (summary.tasks, summary.completed)).collect();
    assert_eq!(counts, [(3, 2), (0, 0)]);
    let all = PlanCounts { total: 2, completed: 1, live: 1 };
    assert_eq!(world.store.counts(Visibility::Tenant(TenantId::DEFAULT)).await.unwrap(), all);
    let nobody = Visibility::Owner(agent_core::ids::Owner::in_default_tenant(UserId(404)));
    assert_eq!(world.store.counts(nobody).await.unwrap(), PlanCounts::default());
}
