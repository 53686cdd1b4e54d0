//! Lists that come in pages, as one stream.

use crate::error::{Error, Result};
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use std::future::Future;

/// What is to be fetched next.
enum Next {
    Page(Option<String>),
    Nothing,
}

/// The entries of all pages from a cursor on; a page is fetched once the one before is used up.
pub(crate) fn all<T, F, P>(cursor: Option<String>, fetch: F) -> impl Stream<Item = Result<T>> + Send
where
    T: Send + 'static,
    F: Fn(Option<String>) -> P + Send + 'static,
    P: Future<Output = Result<(Vec<T>, Option<String>)>> + Send,
{
    let pages = stream::try_unfold((Next::Page(cursor), fetch), |(next, fetch)| async move {
        let Next::Page(cursor) = next else { return Ok::<_, Error>(None) };
        let (entries, next) = fetch(cursor).await?;
        let next = next.map_or(Next::Nothing, |cursor| Next::Page(Some(cursor)));
        Ok(Some((stream::iter(entries).map(Ok), (next, fetch))))
    });
    pages.try_flatten()
}
