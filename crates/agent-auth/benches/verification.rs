//! How many credentials one core judges in a second: `cargo bench -p agent-auth`.

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "it measures time and tells it")]

use agent_auth::{ParsedKey, SigningKey, SystemRandom};
use agent_core::{ids::UserId, time::Timestamp};
use std::hint::black_box;
use std::time::{Duration, Instant};

const SECRET: &str = "k7Yq0vTzR3nWb5XcJ9mLd2PfHs8GuA1e";
const OTHER_SECRET: &str = "Zt4Ub8QeM1oJx6VhC0aNr5KyWg3SiD7f";
/// The best of this many rounds counts: others may be at work on the machine.
const ROUNDS: u32 = 10;
const ROUND: Duration = Duration::from_millis(200);

fn measure(name: &str, mut judge: impl FnMut() -> bool) {
    let mut best = 0.0_f64;
    for _ in 0..ROUNDS {
        let (began, mut judged) = (Instant::now(), 0_u32);
        while began.elapsed() < ROUND {
            for _ in 0..100 {
                assert!(black_box(judge()), "{name} was judged wrongly");
            }
            judged += 100;
        }
        best = best.max(f64::from(judged) / began.elapsed().as_secs_f64());
    }
    println!("{name}: {best:.0} a second, {:.2} µs each", 1e6 / best);
}

fn main() -> agent_auth::Result<()> {
    let now = Timestamp::from_micros(1_767_268_800_000_000);
    let key = SigningKey::new(SECRET.into())?;
    let rotated = SigningKey::new(OTHER_SECRET.into())?.accepting(SECRET.into())?;
    let genuine = key.issue(UserId(7), now, now, &SystemRandom)?.token;
    let forged = format!("{}{}", &genuine[..genuine.len() - 43], "A".repeat(43));
    let garbage = "A".repeat(4096);
    let huge = "A".repeat(1 << 20);
    let api_key = format!("ak_live_{}_{}", "0".repeat(12), "0".repeat(49));
    measure("genuine token", || key.verify(black_box(&genuine), now).is_ok());
    measure("genuine token of a retired key", || rotated.verify(black_box(&genuine), now).is_ok());
    measure("forged signature", || key.verify(black_box(&forged), now).is_err());
    measure("4 KiB of garbage", || key.verify(black_box(&garbage), now).is_err());
    measure("1 MiB of garbage", || key.verify(black_box(&huge), now).is_err());
    measure("API key with a wrong checksum", || ParsedKey::parse(black_box(&api_key)).is_err());
    Ok(())
}
