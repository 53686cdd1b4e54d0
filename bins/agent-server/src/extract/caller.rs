//! Who calls, and whether they may.

use crate::asked::Asked;
use crate::error::{ApiError, ErrorCode, Result};
use crate::limiting::judge_caller;
use crate::state::AppState;
use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use agent_auth::{Credential, Principal, Scope};
use futures_util::future::LocalBoxFuture;
use std::marker::PhantomData;
use std::ops::Deref;
use std::rc::Rc;
use tokio::sync::Semaphore;

/// What a handler demands of its caller.
pub(crate) trait RequiredScope: 'static {
    /// The scope; `None` where being logged in is enough.
    const SCOPE: Option<Scope>;
}

/// The scopes as types, so that a handler names its scope in its signature.
pub(crate) mod scope {
    use super::RequiredScope;
    use agent_auth::Scope;

    /// Being logged in is enough.
    #[derive(Debug)]
    pub(crate) struct LoggedIn;

    impl RequiredScope for LoggedIn {
        const SCOPE: Option<Scope> = None;
    }

    macro_rules! scopes {
        ($($name:ident),+) => {$(
            #[doc = concat!("[`Scope::", stringify!($name), "`].")]
            #[derive(Debug)]
            pub(crate) struct $name;

            impl RequiredScope for $name {
                const SCOPE: Option<Scope> = Some(Scope::$name);
            }
        )+};
    }

    scopes!(
        PlansRead,
        PlansWrite,
        PlansExecute,
        ApprovalsDecide,
        RepositoriesRead,
        KeysManage,
        AnalyticsRead,
        UsersManage,
        AuditRead,
        TenantsManage
    );
}

/// An authenticated caller who has the scope `S`.
#[derive(Debug)]
pub(crate) struct Caller<S: RequiredScope> {
    principal: Rc<Principal>,
    scope: PhantomData<S>,
}

impl<S: RequiredScope> Deref for Caller<S> {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.principal
    }
}

impl<S: RequiredScope> FromRequest for Caller<S> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        let turn = Turn::announce(&request);
        Box::pin(async move {
            let principal = Rc::new(authenticate(&request).await?);
            admit(&request, &principal)?;
            permit(&principal, S::SCOPE)?;
            turn.pass();
            Ok(Self { principal, scope: PhantomData })
        })
    }
}

async fn authenticate(request: &HttpRequest) -> Result<Principal> {
    let missing = || ApiError::internal("the application state is missing");
    let state = request.app_data::<Data<AppState>>().ok_or_else(missing)?;
    let credential = credential(request.headers())?;
    let none = || ApiError::new(ErrorCode::Unauthenticated, "this operation needs a token or an API key");
    Ok(state.agent().authenticator().authenticate(credential.ok_or_else(none)?).await?)
}

/// Notes who asks, and judges how often they do.
fn admit(request: &HttpRequest, principal: &Rc<Principal>) -> Result<()> {
    let (Some(asked), Some(state)) = (Asked::of(request), request.app_data::<Data<AppState>>()) else {
        return Ok(());
    };
    asked.is_of(Rc::clone(principal));
    judge_caller(state.limits(), &asked, principal, state.agent().clock().now())
}

/// Whether the caller has the scope.
///
/// # Errors
/// 403 naming the scope that is missing.
pub(crate) fn permit(principal: &Principal, scope: Option<Scope>) -> Result<()> {
    match scope {
        Some(scope) if !principal.may(scope) => {
            let detail =
                format!("this operation needs the scope {scope}, which this token or key does not have");
            Err(ApiError::new(ErrorCode::Forbidden, detail))
        }
        Some(_) | None => Ok(()),
    }
}

/// The credential of a request, if it shows one.
///
/// # Errors
/// Two at once, or one that cannot be read.
pub(crate) fn credential(headers: &HeaderMap) -> Result<Option<Credential<'_>>> {
    let mut bearers = headers.get_all(AUTHORIZATION);
    let mut keys = headers.get_all("X-API-Key");
    let (bearer, key) = (bearers.next(), keys.next());
    if bearers.next().is_some() || keys.next().is_some() || (bearer.is_some() && key.is_some()) {
        return Err(ApiError::new(
            ErrorCode::AmbiguousCredentials,
            "the request shows more than one credential",
        ));
    }
    let unreadable = |_| ApiError::new(ErrorCode::InvalidToken, "the credential is not readable text");
    if let Some(value) = bearer {
        return Ok(Some(Credential::from_authorization(value.to_str().map_err(unreadable)?)?));
    }
    Ok(key.map(|value| value.to_str().map_err(unreadable)).transpose()?.map(Credential::ApiKey))
}

/// Lets the other extractors of a request wait until the caller is known. Extractors run side by side and
/// the first refusal wins; without this, a bad body would be judged for somebody who may not even ask.
#[derive(Clone)]
struct Turn(Rc<Semaphore>);

impl Turn {
    fn announce(request: &HttpRequest) -> Self {
        let turn = Self(Rc::new(Semaphore::new(0)));
        request.extensions_mut().insert(turn.clone());
        turn
    }

    fn pass(&self) {
        self.0.close();
    }
}

/// Waits until the caller is known and permitted; at once where the operation needs nobody to be.
/// Never ends when the caller is refused: then the refusal is the answer.
pub(super) async fn after_the_caller(request: &HttpRequest) {
    let turn = request.extensions().get::<Turn>().cloned();
    if let Some(turn) = turn {
        // Closing the semaphore is the signal; permits are never given.
        let _closed = turn.0.acquire().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        let map = headers(&[("authorization", "bEaReR abc")]);
        assert_eq!(credential(&map).unwrap(), Some(Credential::Bearer("abc")));
    }

    #[test]
    fn two_credentials_are_none() {
        for map in [
            headers(&[("authorization", "Bearer a"), ("x-api-key", "b")]),
            headers(&[("authorization", "Bearer a"), ("authorization", "Bearer b")]),
        ] {
            assert_eq!(credential(&map).unwrap_err().code, ErrorCode::AmbiguousCredentials);
        }
    }

    #[test]
    fn another_scheme_is_refused_and_nothing_is_nothing() {
        let map = headers(&[("authorization", "Basic abc")]);
        assert_eq!(credential(&map).unwrap_err().code, ErrorCode::InvalidToken);
        assert_eq!(credential(&headers(&[])).unwrap(), None);
    }
}
