//! How each output format is written. To add one: its name in [`OutputFormat`], its file under `output_formats/`, its `mod`
//! line, and its line in [`encoder`].

use crate::OutputFormat;
use crate::encode::{Encode, OutputContent};

mod csv;
mod ctm;
mod jsonl;
mod kaldi;
#[cfg(feature = "parquet")]
mod parquet;
mod text;
mod trn;

/// Begins an output of a format.
pub(crate) fn encoder(format: OutputFormat, content: OutputContent) -> Box<dyn Encode> {
    match format {
        OutputFormat::Text => Box::new(text::Text(content)),
        OutputFormat::Jsonl => Box::new(jsonl::Jsonl),
        OutputFormat::Csv | OutputFormat::Tsv => Box::new(csv::Table::new(format, content)),
        OutputFormat::Trn => Box::new(trn::Trn),
        OutputFormat::Kaldi => Box::new(kaldi::Kaldi),
        OutputFormat::Ctm => Box::new(ctm::Ctm),
        #[cfg(feature = "parquet")]
        OutputFormat::Parquet => Box::new(parquet::Parquet::new(content)),
    }
}
