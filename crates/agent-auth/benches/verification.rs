//! How many credentials one core judges in a second, and how long a login takes with a wrong password and with an
//! unknown name: `cargo bench -p agent-auth`.

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "it measures time and tells it")]

use agent_auth::{ParsedKey, Passwords, SigningKey, SystemRandom, Verdict, check_password_rules};
use agent_core::{
    ids::{Owner, UserId},
    time::Timestamp,
};
use secrecy::SecretString;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

const SECRET: &str = "k7Yq0vTzR3nWb5XcJ9mLd2PfHs8GuA1e";
const OTHER_SECRET: &str = "Zt4Ub8QeM1oJx6VhC0aNr5KyWg3SiD7f";
/// The best of this many rounds counts: others may be at work on the machine.
const ROUNDS: u32 = 10;
const LOGINS: usize = 100;
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

/// The median time of a login with a wrong password, and of one with a name that nobody has.
async fn compare_logins() -> agent_auth::Result<()> {
    let passwords = Passwords::new(NonZeroUsize::MIN);
    let kept = passwords.hash(&"four words are plenty".into()).await?;
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..LOGINS {
        for (times, kept) in times.iter_mut().zip([Some(kept.as_str()), None]) {
            let began = Instant::now();
            assert_eq!(passwords.verify(&"not this one at all".into(), kept).await?, Verdict::Wrong);
            times.push(began.elapsed().as_secs_f64() * 1e3);
        }
    }
    let [wrong, unknown] = times.map(|mut times| {
        times.sort_unstable_by(f64::total_cmp);
        times[times.len() / 2]
    });
    println!("wrong password: {wrong:.2} ms; unknown name: {unknown:.2} ms; ratio {:.3}", unknown / wrong);
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> agent_auth::Result<()> {
    let now = Timestamp::from_micros(1_767_268_800_000_000);
    let key = SigningKey::new(SECRET.into())?;
    let rotated = SigningKey::new(OTHER_SECRET.into())?.accepting(SECRET.into())?;
    let genuine = key.issue(Owner::in_default_tenant(UserId(7)), now, now, &SystemRandom)?.token;
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
    let longest: SecretString =
        "p@ssw0rd1984!qwertzuiop".chars().cycle().take(127).chain(['x']).collect::<String>().into();
    measure("rules for a new password", || {
        check_password_rules(black_box(&longest), "alice.longname").is_ok()
    });
    compare_logins().await
}
