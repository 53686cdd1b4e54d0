//! Statements that are worth preparing once.

use diesel::QueryResult;
use diesel::RunQueryDsl;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::BigInt;
use std::marker::PhantomData;

/// A statement whose text is the same every time, or one of few, so that the connection keeps it prepared.
///
/// diesel prepares updates, raw fragments and inserts of several rows anew each time, since their text may depend
/// on their values. Ours does not: each change writes all of its columns. Preparing costs more than running
/// (SQLite), or a journey to the server of its own (PostgreSQL).
///
/// For statements that yield rows: where only the number of rows is asked for, diesel asks a reference to the
/// statement whether it may be kept, which this cannot answer.
pub(crate) struct Prepared<T>(pub(crate) T);

impl<DB: Backend, T: QueryFragment<DB>> QueryFragment<DB> for Prepared<T> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<T> QueryId for Prepared<T> {
    type QueryId = ();
    // Told apart by its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T: Query> Query for Prepared<T> {
    type SqlType = T::SqlType;
}

impl<T, Conn> RunQueryDsl<Conn> for Prepared<T> {}

/// A statement that yields no rows and whose text is always that of `Name`, kept prepared under this name: asked for
/// rows, there are none, and its text is not even built when it is known.
pub(crate) struct Named<Name, T>(T, PhantomData<Name>);

impl<Name, T> Named<Name, T> {
    pub(crate) fn new(statement: T) -> Self {
        Self(statement, PhantomData)
    }
}

impl<Name, T: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Named<Name, T> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Name: 'static, T> QueryId for Named<Name, T> {
    type QueryId = Name;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Name, T> Query for Named<Name, T> {
    type SqlType = BigInt;
}

impl<Name, T, Conn> RunQueryDsl<Conn> for Named<Name, T> {}
