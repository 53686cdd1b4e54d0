//! I16: a call goes to the address that was checked, and nowhere else, within its limits.

use crate::receiver::{Receiver, Reply};
use agent_webhooks::{
    AddressClass, Allowed, Answer, CallError, Destination, GuardedClient, Limits, Refused, Resolver,
    SystemResolver,
};
use async_trait::async_trait;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const SECOND_LOOPBACK: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const PUBLIC: Ipv4Addr = Ipv4Addr::new(93, 184, 216, 34);

/// Gives these addresses, one list per lookup; the last list for ever.
pub(crate) struct Script {
    answers: Vec<Vec<IpAddr>>,
    lookups: AtomicUsize,
}

impl Script {
    pub(crate) fn new(answers: &[&[Ipv4Addr]]) -> Arc<Self> {
        let answers =
            answers.iter().map(|addresses| addresses.iter().map(|ip| IpAddr::V4(*ip)).collect()).collect();
        Arc::new(Self { answers, lookups: AtomicUsize::new(0) })
    }

    fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Resolver for Script {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let lookup = self.lookups.fetch_add(1, Ordering::SeqCst);
        Ok(self.answers[lookup.min(self.answers.len() - 1)].clone())
    }
}

/// Never answers, or only to say that it cannot.
struct Broken(bool);

#[async_trait]
impl Resolver for Broken {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        if self.0 {
            return std::future::pending().await;
        }
        Err(io::Error::other("no such name"))
    }
}

pub(crate) fn patient() -> Limits {
    Limits { connect: Duration::from_secs(20), total: Duration::from_secs(20), body_bytes: 64 * 1024 }
}

fn hurried() -> Limits {
    Limits { total: Duration::from_millis(200), ..patient() }
}

pub(crate) fn allow(entries: &[String]) -> Allowed {
    Allowed::hosts(entries.iter().map(String::as_str)).unwrap().with_plain_http(true)
}

/// A call to a receiver by its address, which is on the list.
async fn call(receiver: &Receiver, limits: Limits) -> Result<Answer, CallError> {
    let allowed = allow(&[receiver.address.to_string()]);
    let destination = Destination::parse(&receiver.url("/hook"), &allowed).unwrap();
    let client = GuardedClient::new(Arc::new(SystemResolver), limits);
    client.post(&destination, Default::default(), b"{}".to_vec()).await
}

/// A call to a name at a port.
async fn call_name(
    resolver: Arc<dyn Resolver>,
    port: u16,
    allowed: &Allowed,
    limits: Limits,
) -> Result<Answer, CallError> {
    let destination = Destination::parse(&format!("http://Hook.Test.:{port}/x"), allowed).unwrap();
    GuardedClient::new(resolver, limits).post(&destination, Default::default(), b"{}".to_vec()).await
}

/// Two receivers at the same port of two addresses.
async fn twins() -> (Receiver, Receiver) {
    loop {
        let first = Receiver::start().await;
        if let Ok(second) = Receiver::at(SECOND_LOOPBACK, first.address.port()).await {
            return (first, second);
        }
    }
}

#[tokio::test]
async fn i16_a_redirect_to_loopback_is_an_answer_and_is_not_followed() {
    let (outside, inside) = (Receiver::start().await, Receiver::start().await);
    for status in [Reply::Redirect(inside.url("/admin")), Reply::Redirect("/elsewhere".to_owned())] {
        outside.reply([status]);
        assert_eq!(call(&outside, patient()).await.unwrap().status, 302);
    }
    outside.reply([Reply::Status(307, "location: /again\r\n"), Reply::Status(308, "location: /again\r\n")]);
    assert_eq!(call(&outside, patient()).await.unwrap().status, 307);
    assert_eq!(call(&outside, patient()).await.unwrap().status, 308);
    assert_eq!(inside.connections(), 0);
    assert_eq!(outside.requests().len(), 4);
}

#[tokio::test]
async fn i16_a_name_that_changes_its_address_after_the_check_is_called_where_it_was_checked() {
    let (checked, changed) = twins().await;
    let port = checked.address.port();
    let resolver = Script::new(&[&[Ipv4Addr::LOCALHOST], &[SECOND_LOOPBACK]]);
    let allowed = allow(&[format!("hook.test:{port}")]);
    let answer = call_name(resolver.clone(), port, &allowed, patient()).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(resolver.lookups(), 1, "one lookup, so that there is no second answer to be fooled by");
    assert_eq!(changed.connections(), 0);
    let request = checked.arrival().await;
    assert_eq!(request.line, "POST /x HTTP/1.1");
    assert_eq!(request.header("host"), format!("hook.test:{port}"));

    // The next call looks again, and keeps no connection to the former address.
    call_name(resolver.clone(), port, &allowed, patient()).await.unwrap();
    assert_eq!((resolver.lookups(), checked.connections(), changed.connections()), (2, 1, 1));
}

#[tokio::test]
async fn i16_a_name_that_leads_inside_is_refused_before_anything_is_sent() {
    let inside = Receiver::start().await;
    let port = inside.address.port();
    let refused = |class| Refused::Address { host: "hook.test".to_owned(), port, class };
    let cases: [(&[Ipv4Addr], AddressClass); 5] = [
        (&[Ipv4Addr::LOCALHOST], AddressClass::Loopback),
        (&[PUBLIC, Ipv4Addr::LOCALHOST], AddressClass::Loopback),
        (&[Ipv4Addr::LOCALHOST, PUBLIC], AddressClass::Loopback),
        (&[PUBLIC, Ipv4Addr::new(169, 254, 169, 254)], AddressClass::Metadata),
        (&[Ipv4Addr::UNSPECIFIED], AddressClass::Unspecified),
    ];
    // An entry for another port of the same name lifts nothing.
    let other_port = format!("hook.test:{}", port.wrapping_add(1).max(1));
    for allowed in [allow(&[]), allow(&[other_port])] {
        for (addresses, class) in cases {
            let result = call_name(Script::new(&[addresses]), port, &allowed, patient()).await;
            assert!(matches!(&result, Err(CallError::Refused(why)) if *why == refused(class)), "{result:?}");
        }
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn i16_a_name_without_an_address_is_not_found() {
    let allowed = allow(&[]);
    let results = [
        call_name(Arc::new(Broken(false)), 80, &allowed, patient()).await,
        call_name(Script::new(&[&[]]), 80, &allowed, patient()).await,
    ];
    for result in results {
        assert!(
            matches!(&result, Err(CallError::NotFound { host, .. }) if host == "hook.test"),
            "{result:?}"
        );
    }
}

#[tokio::test]
async fn i16_a_body_is_read_up_to_its_cap_and_the_connection_dropped() {
    let receiver = Receiver::start().await;
    receiver.reply([Reply::Endless]);
    let answer = call(&receiver, patient()).await.unwrap();
    assert_eq!((answer.status, answer.body.len(), answer.is_cut), (200, 64 * 1024, true));
    receiver.hangup().await;

    for (length, is_cut) in [(0, false), (9, false), (10, false), (11, true), (1_000_000, true)] {
        receiver.reply([Reply::Body(vec![b'x'; length])]);
        let answer = call(&receiver, Limits { body_bytes: 10, ..patient() }).await.unwrap();
        assert_eq!((answer.body.len(), answer.is_cut), (length.min(10), is_cut), "{length}");
    }
}

#[tokio::test]
async fn i16_a_deadline_bounds_every_part_of_a_call() {
    for reply in [Reply::Silent, Reply::HeadOnly] {
        let receiver = Receiver::start().await;
        receiver.reply([reply]);
        let result = call(&receiver, hurried()).await;
        assert!(matches!(result, Err(CallError::Deadline(after)) if after == hurried().total), "{result:?}");
        receiver.hangup().await;
    }
    let result = call_name(Arc::new(Broken(true)), 80, &allow(&[]), hurried()).await;
    assert!(matches!(result, Err(CallError::Deadline(_))), "{result:?}");
}

#[tokio::test]
async fn i16_a_refused_connection_is_told_without_the_path_of_the_address() {
    let receiver = Receiver::start().await;
    let address = receiver.address;
    receiver.reply([Reply::Status(200, "content-length: nonsense\r\n")]);
    let allowed = allow(&[address.to_string()]);
    let destination = Destination::parse(&format!("http://{address}/path-with-key"), &allowed).unwrap();
    let client = GuardedClient::new(Arc::new(SystemResolver), patient());
    let error = client.post(&destination, Default::default(), Vec::new()).await.unwrap_err();
    assert!(matches!(error, CallError::Broken(_)), "{error:?}");
    assert!(!format!("{error} {error:?} {destination:?}").contains("path-with-key"), "{error:?}");
}

#[tokio::test]
async fn i16_no_proxy_of_the_environment_is_asked() {
    let proxy = Receiver::start().await;
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "guarded::i16_a_redirect_to_loopback_is_an_answer_and_is_not_followed"]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        child.env(name, proxy.url(""));
    }
    child.env_remove("no_proxy").env_remove("NO_PROXY");
    let output = child.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    assert_eq!(proxy.connections(), 0);
}
