//! Batches of columns, and the rows in them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Fields, SchemaRef};

use crate::{Error, Format};

/// Rows that are read at a time.
pub(crate) const BATCH: usize = 64;

/// Columns, some rows at a time; errors are those of the file.
pub(crate) struct Batches {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Box<dyn Iterator<Item = Result<RecordBatch, String>> + Send>,
}

/// The rows of a file of columns, one after the other.
pub(crate) struct Steps {
    pub(crate) name: Arc<str>,
    format: Format,
    batches: Batches,
    batch: Option<(RecordBatch, usize)>,
    /// Rows read so far.
    pub(crate) row: u64,
}

impl Steps {
    /// The rows of the file `name`, which `open` opens.
    pub(crate) fn open(
        name: &str,
        format: Format,
        open: impl FnOnce() -> Result<Batches, String>,
    ) -> Result<Self, Error> {
        let batches = guard(open).map_err(|reason| {
            let reason = format!("it is cut short or broken ({reason}); write it again");
            Error::Columns { path: name.to_owned(), format, reason }
        })?;
        Ok(Self { name: name.into(), format, batches, batch: None, row: 0 })
    }

    /// The columns.
    pub(crate) fn columns(&self) -> &Fields {
        self.batches.schema.fields()
    }

    /// The next row: the batch that it stands in, and its place there.
    pub(crate) fn step(&mut self) -> Result<Option<(RecordBatch, usize)>, Error> {
        loop {
            if let Some((batch, next)) = self.batch.as_mut().filter(|(batch, next)| *next < batch.num_rows())
            {
                *next += 1;
                return Ok(Some((batch.clone(), *next - 1)));
            }
            match guard(|| self.batches.batches.next().transpose()) {
                Ok(None) if self.row == 0 => return Err(Error::Empty { path: self.name.to_string() }),
                Ok(None) => return Ok(None),
                Ok(Some(batch)) => self.batch = Some((batch, 0)),
                Err(reason) => {
                    let reason = format!(
                        "from row {} on it is cut short or broken ({reason}); write it again",
                        self.row + 1
                    );
                    return Err(Error::Columns { path: self.name.to_string(), format: self.format, reason });
                }
            }
        }
    }
}

/// A decoder that panics over a broken file is no reason to end the program.
fn guard<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| Err("its bytes make no sense".to_owned()))
}
