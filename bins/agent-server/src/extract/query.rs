//! Query parameters.

use super::caller::after_the_caller;
use super::valid_json::NUL;
use crate::error::{ApiError, ErrorCode, Result};
use actix_web::dev::Payload;
use actix_web::web::Query;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::ops::Deref;

/// The query parameters as `T`; unknown ones are refused where `T` says so.
#[derive(Debug)]
pub(crate) struct ValidQuery<T>(pub(crate) T);

impl<T> Deref for ValidQuery<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for ValidQuery<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            after_the_caller(&request).await;
            if let Some(name) = nul_in(request.query_string()) {
                return Err(ApiError::invalid_field(&format!("?{name}"), NUL));
            }
            match Query::<T>::from_query(request.query_string()) {
                Ok(query) => Ok(Self(query.into_inner())),
                Err(error) => Err(ApiError::new(
                    ErrorCode::InvalidRequest,
                    format!("the query cannot be read: {error}"),
                )),
            }
        })
    }
}

/// The parameter that holds NUL.
fn nul_in(query: &str) -> Option<String> {
    if !query.contains("%00") {
        return None;
    }
    let parameters = Query::<BTreeMap<String, String>>::from_query(query).ok()?.into_inner();
    parameters
        .into_iter()
        .find(|(name, value)| name.contains('\0') || value.contains('\0'))
        .map(|(name, _)| name)
}
