//! A table with tabs between its columns; all else is as in [`csv`](super::csv), quotes too.

use super::csv::{has_columns, open};
use crate::Format;
use crate::spec::Spec;

pub(super) const SPEC: Spec = Spec::Text {
    marker: |line, names| has_columns(line, names, Format::Tsv, b'\t'),
    open: |source, reading| open(source, &reading, Format::Tsv, b'\t'),
    folder: None,
};
