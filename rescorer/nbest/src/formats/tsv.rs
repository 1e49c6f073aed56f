//! A table with tabs between its columns; all else is as in [`csv`](super::csv), quotes too.

use super::csv::{has_columns, open};
use super::{Format, Kind, Spec};

pub(super) const SPEC: Spec = Spec {
    name: "tsv",
    kind: Kind::Text {
        marker: |line, names| has_columns(line, names, Format::Tsv, b'\t'),
        open: |source, reading| open(source, &reading, Format::Tsv, b'\t'),
        folder: None,
    },
};
