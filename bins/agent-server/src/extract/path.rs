//! Parts of the path.

use super::caller::after_the_caller;
use crate::error::{ApiError, ErrorCode, Result};
use actix_web::dev::Payload;
use actix_web::web::Path;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use std::ops::Deref;

/// The parts of the path as `T`; what cannot be one names nothing and is a 404.
#[derive(Debug)]
pub(crate) struct ValidPath<T>(pub(crate) T);

impl<T> Deref for ValidPath<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for ValidPath<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = Path::<T>::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            after_the_caller(&request).await;
            match read.await {
                Ok(path) => Ok(Self(path.into_inner())),
                Err(_) => {
                    let detail = "the path names nothing: ids are whole numbers, as the lists give them";
                    Err(ApiError::new(ErrorCode::NotFound, detail))
                }
            }
        })
    }
}
