//! D20: a while of everything at once, kills and pauses, and then all ends well.

use crate::dice::Dice;
use crate::random_kills::Ordeal;
use crate::scene::{Scene, now};
use crate::settings::{asked, tell};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn after_a_while_of_kills_and_pauses_every_plan_ends_as_it_should() {
    let mut dice = Dice::thrown("soak");
    let length = Duration::from_secs(asked("AGENT_TEST_SOAK", 20));
    let mut ordeal = Ordeal::begin(Scene::new()).await;
    let begun = now();
    let mut lives = 0;
    while begun.elapsed() < length {
        ordeal.live(&mut dice, true).await;
        lives += 1;
    }
    let healed = now();
    let verdict = ordeal.judge().await;
    tell(&format!(
        "{} s of kills and pauses in {lives} lives, {} plans; all ended {} s later",
        length.as_secs(),
        verdict.plans,
        healed.elapsed().as_secs()
    ));
    assert!(verdict.caught > 0, "nothing was ever in flight");
}
