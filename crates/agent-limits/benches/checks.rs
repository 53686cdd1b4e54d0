//! How long a check takes, for one thread and for several at once: `cargo bench -p agent-limits`.

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "it measures time and tells it")]

use agent_core::ids::{TenantId, UserId};
use agent_core::time::Timestamp;
use agent_limits::{Caller, Limits, Quota, Quotas, RateLimiter, TrustedProxies};
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// The best of this many rounds counts: others may be at work on the machine.
const ROUNDS: u32 = 10;
const ROUND: Duration = Duration::from_millis(200);
const BATCH: u32 = 1_000;

/// Calls with ever new numbers, by so many threads at once.
fn measure(name: &str, n_threads: u32, check: impl Fn(u32) + Sync) {
    let mut best = 0.0_f64;
    for round in 0..ROUNDS {
        let began = Instant::now();
        let work = |thread: u32| {
            let mut number = (thread * ROUNDS + round) << 24;
            let mut done = 0.0;
            while began.elapsed() < ROUND {
                for _ in 0..BATCH {
                    number = number.wrapping_add(1);
                    check(number);
                }
                done += f64::from(BATCH);
            }
            done
        };
        let done: f64 = std::thread::scope(|scope| {
            let work = &work;
            let threads: Vec<_> = (0..n_threads).map(|thread| scope.spawn(move || work(thread))).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).sum()
        });
        best = best.max(done / began.elapsed().as_secs_f64());
    }
    println!("{name}, {n_threads} thread(s): {best:.0} a second, {:.0} ns each", 1e9 / best);
}

fn address(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(number).into()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (quota, keys): (Quota, _) = ("600/min".parse()?, NonZeroUsize::new(65_536).ok_or("no keys")?);
    let now = |number: u32| Timestamp::from_micros(1_767_268_800_000_000 + i64::from(number & 0x00ff_ffff));
    let quotas = Quotas {
        address: Some(quota),
        login: None,
        user: Some(quota),
        key: Some(quota),
        tenant: Some(quota),
    };
    let proxies = TrustedProxies::parse(["10.0.0.0/8", "fd00::/8", "::1"])?;
    for n_threads in [1, 2] {
        let limiter = RateLimiter::new(quota, keys);
        measure("one key", n_threads, |number| {
            black_box(limiter.check(&address(7), now(number)));
        });
        measure("ten thousand keys", n_threads, |number| {
            black_box(limiter.check(&address(number % 10_000), now(number)));
        });
        measure("nothing but new keys", n_threads, |number| {
            black_box(limiter.check(&address(number), now(number)));
        });
        let limits = Limits::new(&quotas, keys);
        measure("four limits, one tenant", n_threads, |number| {
            let (user, tenant) = (Some(UserId(i64::from(number % 1_000))), Some(TenantId(1)));
            let key = Some(i64::from(number % 2_000));
            let caller = Caller { user, key, tenant, ..Caller::at(address(number % 5_000)) };
            black_box(limits.check(&caller, now(number)));
        });
    }
    measure("the client behind two proxies", 1, |_| {
        let values = [black_box("203.0.113.9, 198.51.100.7, 10.0.0.2")];
        black_box(proxies.client(address(0x0a00_0001), values, [""; 0]));
    });
    Ok(())
}
