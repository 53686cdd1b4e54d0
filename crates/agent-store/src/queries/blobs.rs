//! Long contents.

use super::Conn;
use crate::error::Answer;
use crate::rows::blob::Blob;
use crate::schema::blobs;
use diesel::prelude::*;

/// Keeps a content that is not there yet.
pub(crate) fn keep(conn: &mut Conn, blob: &Blob) -> Answer<()> {
    diesel::insert_into(blobs::table).values(blob).on_conflict_do_nothing().execute(conn)?;
    Ok(())
}
