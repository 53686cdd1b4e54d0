//! The room of a server, shared between plans and people.

use crate::memory::{World, new_plan, settings};
use agent_core::ids::{Owner, UserId};
use agent_core::plan::{NewPlan, PlanStatus, TaskKind, TaskSpec};

fn run(word: &str) -> TaskSpec {
    TaskSpec::new("run it", TaskKind::argv([word]))
}

#[tokio::test]
async fn a_plan_of_many_tasks_holds_up_neither_another_person_nor_another_plan_of_the_same() {
    let world = World::new(Vec::new());
    let mut two_slots = settings("one");
    two_slots.max_parallel = 2;
    let server = world.server_with(two_slots);
    let large = server.create(new_plan(vec![run("wait"); 50])).await;
    world.until_called(2).await;
    let stranger = NewPlan { owner: Owner::in_default_tenant(UserId(2)), ..new_plan(vec![run("theirs")]) };
    let small = [server.create(stranger).await, server.create(new_plan(vec![run("mine")])).await];
    let through = || small.iter().all(|plan| world.state(*plan).plan.status.is_terminal());
    let mut let_go = 0;
    while !through() {
        assert!(
            let_go < 10,
            "the small plans wait for the large one: {:?}",
            world.workshop.words("run_command")
        );
        let before = world.workshop.calls().len();
        world.workshop.let_go();
        let_go += 1;
        // Either the large plan goes on or a small one gets its turn.
        world.until_called(before + 1).await;
    }
    (let_go..50).for_each(|_| world.workshop.let_go());
    world.until_status(large, PlanStatus::Completed).await;
    assert_eq!(world.workshop.most_at_once(), 2, "all plans together have two slots, and use them");
}
