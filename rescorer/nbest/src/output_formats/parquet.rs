//! Parquet with the fields of the native format: a row is an utterance, `hypotheses` a list of structs.
//!
//! `score`, and after a second pass `lm_score` and `total`, are 64-bit floats. Fields that we don't know are
//! text, a JSON object: those of a hypothesis in its field `extra`, those of the utterance in the column `extra`.
//! Rows are gathered into row groups of at most 16 MiB; the file can be read when it is complete.

use std::io::{self, Write};
use std::mem::take;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{Array, ArrayRef, Float64Array, ListArray, RecordBatch, StringArray, StructArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, Fields, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::encode::{Encode, OutputContent, check_fields};
use crate::{Answer, Error, OutputFormat, extra};

/// Utterances that are written in one step.
const ROWS: usize = 256;
/// Bytes of a row group.
const GROUP: usize = 16 << 20;

pub(super) struct Parquet {
    content: OutputContent,
    rows: Rows,
    writer: Option<ArrowWriter<Shared>>,
    written: Shared,
}

/// Bytes that were written and not yet taken.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

/// Columns as they grow.
#[derive(Default)]
struct Rows {
    ids: Vec<String>,
    references: Vec<Option<String>>,
    contexts: Vec<Option<String>>,
    extras: Vec<Option<String>>,
    lengths: Vec<usize>,
    texts: Vec<String>,
    scores: Vec<Option<f64>>,
    lm_scores: Vec<Option<f64>>,
    totals: Vec<Option<f64>>,
    hypothesis_extras: Vec<Option<String>>,
}

impl Parquet {
    pub(super) fn new(content: OutputContent) -> Self {
        Self { content, rows: Rows::default(), writer: None, written: Shared::default() }
    }

    fn write(&mut self) -> Result<(), ParquetError> {
        let batch = take(&mut self.rows).batch(self.content)?;
        let writer = match &mut self.writer {
            Some(writer) => writer,
            empty => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::SNAPPY)
                    .set_max_row_group_bytes(Some(GROUP))
                    .build();
                empty.insert(ArrowWriter::try_new(self.written.clone(), batch.schema(), Some(properties))?)
            }
        };
        writer.write(&batch)
    }
}

impl Encode for Parquet {
    fn encode(&mut self, answer: &Answer, to: &mut Vec<u8>) -> Result<(), Error> {
        check_fields(answer, OutputFormat::Parquet)?;
        self.rows.push(answer);
        if self.rows.ids.len() >= ROWS {
            self.write().map_err(failure)?;
        }
        to.append(&mut self.written.lock());
        Ok(())
    }

    fn finish(&mut self, to: &mut Vec<u8>) -> Result<(), Error> {
        if self.writer.is_none() || !self.rows.ids.is_empty() {
            self.write().map_err(failure)?;
        }
        if let Some(writer) = self.writer.take() {
            writer.close().map_err(failure)?;
        }
        to.append(&mut self.written.lock());
        Ok(())
    }
}

fn failure(error: ParquetError) -> Error {
    Error::Write { path: OutputFormat::Parquet.name().to_owned(), source: io::Error::other(error) }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Rows {
    fn push(&mut self, answer: &Answer) {
        let utterance = answer.utterance();
        self.ids.push(utterance.id.clone());
        self.references.push(utterance.reference.clone());
        self.contexts.push(utterance.context.clone());
        self.extras.push(extra::text(&utterance.extra, &[]));
        self.lengths.push(answer.lines().len());
        for (line, hypothesis) in answer.lines() {
            // What the second pass says stands in the columns; an older score of the name gives way.
            let replaced: Vec<&str> = line.scores().map(|(name, _)| name).collect();
            self.texts.push(hypothesis.text.clone());
            self.scores.push(hypothesis.score);
            self.lm_scores.push(line.lm_score);
            self.totals.push(line.total);
            self.hypothesis_extras.push(extra::text(&hypothesis.extra, &replaced));
        }
    }

    fn batch(self, content: OutputContent) -> Result<RecordBatch, ParquetError> {
        let text = |name: &str, texts: Vec<Option<String>>| -> (Field, ArrayRef) {
            (Field::new(name, DataType::Utf8, true), Arc::new(StringArray::from(texts)))
        };
        let needed = |name: &str, texts: Vec<String>| -> (Field, ArrayRef) {
            (Field::new(name, DataType::Utf8, false), Arc::new(StringArray::from(texts)))
        };
        let score = |name: &str, scores: Vec<Option<f64>>| -> (Field, ArrayRef) {
            (Field::new(name, DataType::Float64, true), Arc::new(Float64Array::from(scores)))
        };
        let mut parts = vec![needed("text", self.texts), score("score", self.scores)];
        if content.second_pass {
            parts.extend([score("lm_score", self.lm_scores), score("total", self.totals)]);
        }
        parts.push(text("extra", self.hypothesis_extras));
        let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = parts.into_iter().unzip();
        let hypotheses = StructArray::try_new(Fields::from(fields), columns, None)?;
        let element = Arc::new(Field::new("element", hypotheses.data_type().clone(), false));
        let offsets = OffsetBuffer::from_lengths(self.lengths);
        let lists = ListArray::try_new(element.clone(), offsets, Arc::new(hypotheses), None)?;
        let columns: [(Field, ArrayRef); 5] = [
            needed("id", self.ids),
            (Field::new("hypotheses", DataType::List(element), false), Arc::new(lists)),
            text("reference", self.references),
            text("context", self.contexts),
            text("extra", self.extras),
        ];
        let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
    }
}
