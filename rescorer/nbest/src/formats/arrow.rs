//! Arrow files (Feather) and streams (the caches of Hugging Face `datasets`): a row is an utterance, a column a
//! field of one of the JSON formats.
//!
//! One record batch is held in memory, as large as whoever wrote it made it. See
//! [`columns`](crate::columns) for what the columns are.

use std::fs::File;
use std::io::{Read, Seek};

use arrow_ipc::reader::{FileReader, StreamReader};

use super::{Kind, Spec};
use crate::Format;
use crate::columns::{Batches, ColumnsBody};

/// How a file begins, and how it ends.
const FILE: &[u8] = b"ARROW1";
/// How a stream begins: what says that a message follows.
const STREAM: &[u8] = b"\xFF\xFF\xFF\xFF";

pub(super) const SPEC: Spec = Spec {
    name: "arrow",
    kind: Kind::Columns {
        marker: |start| start.starts_with(FILE) || start.starts_with(STREAM),
        open: |name, file| Ok(Box::new(ColumnsBody::open(name, Format::Arrow, || open(file))?)),
    },
};

fn open(mut file: File) -> Result<Batches, String> {
    let mut start = [0; FILE.len()];
    let length = file.read(&mut start).and_then(|length| file.rewind().map(|()| length));
    let is_file = start[..length.map_err(|error| error.to_string())?].starts_with(FILE);
    let broken = |error: arrow_schema::ArrowError| error.to_string();
    if is_file {
        let reader = FileReader::try_new_buffered(file, None).map_err(broken)?;
        let schema = reader.schema();
        return Ok(Batches { schema, batches: Box::new(reader.map(move |batch| batch.map_err(broken))) });
    }
    let reader = StreamReader::try_new_buffered(file, None).map_err(broken)?;
    let schema = reader.schema();
    Ok(Batches { schema, batches: Box::new(reader.map(move |batch| batch.map_err(broken))) })
}
