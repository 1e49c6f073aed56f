//! A table with tabs between its columns; all else is as in [`csv`](super::csv), quotes too.

use super::csv::{has_columns, open};
use super::{Format, Kind, Spec};

pub(super) const SPEC: Spec = Spec {
    name: "tsv",
    kind: Kind::Text {
        marker: |line| has_columns(line, Format::Tsv, b'\t'),
        open: |source, _| open(source, Format::Tsv, b'\t'),
    },
};
