//! Which database this is.

use super::Conn;
use crate::error::Answer;
use crate::schema::identity;
use diesel::prelude::*;

/// The name that the database was given when it was made, or brought up to date by the first version that names them.
pub(crate) fn find(conn: &mut Conn) -> Answer<String> {
    Ok(identity::table.select(identity::id).first(conn)?)
}
