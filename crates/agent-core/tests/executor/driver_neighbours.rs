//! Executors on one store that tell each other where to look, instead of waiting for their next regular look.

use crate::memory::{Server, World, new_plan, settings};
use agent_core::executor::fact::Fact;
use agent_core::executor::{Executor, ExecutorSettings};
use agent_core::ids::{PlanId, WorkerId};
use agent_core::plan::{PlanStatus, TaskKind, TaskSpec};
use agent_core::ports::Neighbours;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Brings what one executor tells to all others.
#[derive(Default)]
struct Street(Mutex<Vec<Executor>>);

impl Street {
    fn tell(&self, tell: impl Fn(&Executor)) {
        self.0.lock().unwrap().iter().for_each(tell);
    }
}

impl Neighbours for Street {
    fn changed(&self, plan: PlanId) {
        self.tell(|neighbour| neighbour.changed(plan));
    }

    fn free(&self, plan: PlanId) {
        self.tell(|neighbour| neighbour.free(plan));
    }

    fn missed(&self) {
        self.tell(Neighbours::missed);
    }
}

fn run(word: &str) -> TaskSpec {
    TaskSpec::new("run it", TaskKind::argv([word]))
}

/// Looks by itself long after the test would have given up.
fn sleepy(name: &str) -> ExecutorSettings {
    ExecutorSettings { lease: Duration::from_secs(3_600), ..settings(name) }
}

/// Two servers; what the first tells is heard by the second, and the other way round.
fn two(world: &World) -> [Server; 2] {
    let streets = [Arc::<Street>::default(), Arc::<Street>::default()];
    let server = |name: &str, street: &Arc<Street>| {
        world.server_beside(sleepy(name), Some(Arc::<Street>::clone(street) as Arc<dyn Neighbours>))
    };
    let servers = [server("one", &streets[0]), server("two", &streets[1])];
    streets[0].0.lock().unwrap().push(servers[1].as_neighbour());
    streets[1].0.lock().unwrap().push(servers[0].as_neighbour());
    servers
}

#[tokio::test]
async fn a_cancel_through_another_server_reaches_the_driver_at_once() {
    let world = World::new(Vec::new());
    let [one, two] = two(&world);
    let plan = one.create(new_plan(vec![run("wait"), TaskSpec { depends_on: vec![1], ..run("ok") }])).await;
    world.until_called(1).await;
    two.submit(plan, Fact::CancelRequested).await;
    world.until_status(plan, PlanStatus::Cancelled).await;
    assert_eq!(world.workshop.words("run_command"), ["wait"]);
}

#[tokio::test]
async fn a_plan_that_a_server_gives_back_when_it_stops_goes_on_elsewhere_at_once() {
    let world = World::new(Vec::new());
    let [one, two] = two(&world);
    let ask = TaskSpec::new("go on?", TaskKind::Approval);
    let plan = one.create(new_plan(vec![ask])).await;
    world.until_status(plan, PlanStatus::AwaitingApproval).await;
    one.stop(Duration::from_secs(5)).await;
    world.until(plan, |_| world.store.core().holder(plan) == Some(&WorkerId("two".into()))).await;
    two.approve(plan, &world.state(plan).tasks[0]).await;
    world.until_status(plan, PlanStatus::Completed).await;
}

#[tokio::test]
async fn a_server_that_may_have_missed_something_looks_at_everything() {
    let world = World::new(Vec::new());
    let deaf = world.server_with(sleepy("deaf"));
    let mut visitor = sleepy("visitor");
    visitor.recover = false;
    let other = world.server_with(visitor);
    let driven = deaf.create(new_plan(vec![run("wait")])).await;
    world.until_called(1).await;
    other.submit(driven, Fact::CancelRequested).await;
    let left = other.create(new_plan(vec![TaskSpec::new("go on?", TaskKind::Approval)])).await;
    world.until_status(left, PlanStatus::AwaitingApproval).await;
    other.stop(Duration::from_secs(5)).await;
    deaf.as_neighbour().missed();
    world.until_status(driven, PlanStatus::Cancelled).await;
    world.until(left, |_| world.store.core().holder(left) == Some(&WorkerId("deaf".into()))).await;
}
