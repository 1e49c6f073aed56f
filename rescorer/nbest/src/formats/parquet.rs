//! Parquet files: a row is an utterance, a column a field of one of the JSON formats.
//!
//! Rows are read in small batches, pages as they come up, so memory does not grow with the file. See
//! [`columns`](crate::columns) for what the columns are.

use std::fs::File;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::batches::{BATCH, Batches};
use crate::spec::Spec;

pub(super) const SPEC: Spec = Spec::Columns { marker: |start| start.starts_with(b"PAR1"), open };

fn open(file: File) -> Result<Batches, String> {
    let broken = |error: parquet::errors::ParquetError| error.to_string();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(broken)?;
    let schema = builder.schema().clone();
    let reader = builder.with_batch_size(BATCH).build().map_err(broken)?;
    let batches = reader.map(|batch| batch.map_err(|error| error.to_string()));
    Ok(Batches { schema, batches: Box::new(batches) })
}
