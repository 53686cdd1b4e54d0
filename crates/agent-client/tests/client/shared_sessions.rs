//! A session that several programs use: renewed by one of them at a time, known to all.

use crate::requests::demo;
use agent_client::{Client, Error, KeptTokens, Session, SessionStore, TakenSession};
use agent_testkit::TestServer;
use secrecy::ExposeSecret;
use std::error::Error as StdError;
use std::sync::{Arc, Mutex, MutexGuard};

type BoxError = Box<dyn StdError + Send + Sync>;

/// Keeps a session in memory, as another program would in a file.
#[derive(Clone)]
struct Kept {
    tokens: Arc<Mutex<Option<KeptTokens>>>,
    taken: Arc<Mutex<bool>>,
    works: bool,
}

struct Taken(Kept);

impl Kept {
    fn holding(session: &Session) -> Self {
        let kept = Self { tokens: Arc::default(), taken: Arc::default(), works: true };
        *kept.tokens() = Some(KeptTokens {
            access_token: "an.old.token".into(),
            refresh_token: session.refresh_token.clone(),
        });
        kept
    }

    fn tokens(&self) -> MutexGuard<'_, Option<KeptTokens>> {
        self.tokens.lock().unwrap()
    }

    /// A client as each program begins: with the tokens that are kept at this moment.
    fn client(&self, server: &TestServer) -> Client {
        let KeptTokens { access_token, refresh_token } = self.tokens().clone().unwrap();
        let builder = Client::builder(server.url()).token(access_token).refresh_token(refresh_token);
        builder.session_store(Arc::new(self.clone())).build().unwrap()
    }
}

impl SessionStore for Kept {
    fn take(&self) -> Result<Box<dyn TakenSession>, BoxError> {
        while std::mem::replace(&mut *self.taken.lock().unwrap(), true) {
            std::thread::yield_now();
        }
        Ok(Box::new(Taken(self.clone())))
    }
}

impl TakenSession for Taken {
    fn tokens(&self) -> Result<Option<KeptTokens>, BoxError> {
        Ok(self.0.tokens().clone())
    }

    fn replace(&mut self, session: &Session) -> Result<(), BoxError> {
        if !self.0.works {
            return Err("the disk is full".into());
        }
        let (access_token, refresh_token) = (session.access_token.clone(), session.refresh_token.clone());
        *self.0.tokens() = Some(KeptTokens { access_token, refresh_token });
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap() = false;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_renew_at_once_use_each_refresh_token_once() {
    let server = TestServer::start().await;
    let kept = Kept::holding(&demo(server.url()).await.session().unwrap());
    let clients: Vec<Client> = (0..6).map(|_| kept.client(&server)).collect();
    let asked = futures_util::future::join_all(clients.iter().map(|client| client.validate())).await;
    assert!(asked.iter().all(Result::is_ok), "{asked:?}");
    // A second use of a refresh token would have ended the session for everybody.
    kept.client(&server).validate().await.unwrap();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_another_program_got_and_that_is_over_too_is_renewed() {
    let server = TestServer::start().await;
    let kept = Kept::holding(&demo(server.url()).await.session().unwrap());
    let client = kept.client(&server);
    let refresh_token = kept.tokens().as_ref().unwrap().refresh_token.clone();
    *kept.tokens() = Some(KeptTokens { access_token: "another.old.token".into(), refresh_token });
    client.validate().await.unwrap();
    let session = client.session().unwrap();
    let now = kept.tokens().clone().unwrap();
    assert_eq!(now.access_token.expose_secret(), session.access_token.expose_secret());
    assert!(session.expires_at.is_some());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_given_up_or_cannot_be_kept_is_said_to_be_so() {
    let server = TestServer::start().await;
    let kept = Kept::holding(&demo(server.url()).await.session().unwrap());
    let client = kept.client(&server);
    *kept.tokens() = None;
    assert_eq!(client.validate().await.unwrap_err().code(), Some("invalid_token"));

    let broken = Kept { works: false, ..Kept::holding(&demo(server.url()).await.session().unwrap()) };
    let error = broken.client(&server).validate().await.unwrap_err();
    assert!(matches!(error, Error::SessionStore(_)), "{error:?}");
    let unfit = Client::builder(server.url()).session_store(Arc::new(kept)).build();
    assert!(matches!(unfit, Err(Error::InvalidSetting { .. })), "{unfit:?}");
    server.stop().await;
}
