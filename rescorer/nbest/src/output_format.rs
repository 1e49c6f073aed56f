//! The formats of answers, by name. How each is written stands in [`output_formats`](crate::output_formats).

use std::fmt;
use std::path::Path;

/// What is known of an output format before any answer.
struct Facts {
    name: &'static str,
    /// The extension of its files, where it has one.
    extension: Option<&'static str>,
    /// Whether it holds more than the winner.
    lists: bool,
    /// What it holds, in a few words of help.
    about: &'static str,
}

macro_rules! output_formats {
    ($(
        $(#[$docs:meta])*
        $variant:ident = { $($facts:tt)+ } $(, if $feature:literal)?;
    )+) => {
        /// A format that answers are written in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum OutputFormat {
            $($(#[$docs])* $(#[cfg(feature = $feature)])? $variant,)+
        }

        impl OutputFormat {
            /// Every output format.
            pub const ALL: &'static [Self] = &[$($(#[cfg(feature = $feature)])? Self::$variant,)+];

            fn facts(self) -> Facts {
                match self {
                    $($(#[cfg(feature = $feature)])? Self::$variant => Facts { $($facts)+ },)+
                }
            }
        }
    };
}

output_formats! {
    /// `text`: id, tab, text; of lists id, position, total if there is one, text.
    Text = { name: "text", extension: Some("txt"), lists: true, about: "id, tab, text (with lists: id, position, total, text)" };
    /// `jsonl`: the native format.
    Jsonl = { name: "jsonl", extension: Some("jsonl"), lists: true, about: "native lists with all fields of the input" };
    /// `csv`: a table with a row for every hypothesis.
    Csv = { name: "csv", extension: Some("csv"), lists: true, about: "a row for each hypothesis" };
    /// `tsv`: the same with tabs.
    Tsv = { name: "tsv", extension: Some("tsv"), lists: true, about: "csv with tabs" };
    /// `trn`: transcripts for sclite.
    Trn = { name: "trn", extension: Some("trn"), lists: false, about: "winners for sclite" };
    /// `kaldi`: the `text` of a Kaldi data folder.
    Kaldi = { name: "kaldi", extension: None, lists: false, about: "winners as Kaldi's text, ID WORDS" };
    /// `ctm`: the words with their times, as NIST's tools read them.
    Ctm = { name: "ctm", extension: Some("ctm"), lists: false, about: "words of the winners with their times in the input" };
    /// `parquet`: the native format as columns (feature `parquet`).
    Parquet = { name: "parquet", extension: Some("parquet"), lists: true, about: "the fields of jsonl as columns" }, if "parquet";
}

impl OutputFormat {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// Whether it holds whole lists, not winners alone.
    pub fn holds_lists(self) -> bool {
        self.facts().lists
    }

    /// The format whose extension a file has.
    pub fn of_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::ALL.iter().copied().find(|format| format.facts().extension == Some(extension.as_str()))
    }

    /// All names with what they hold, for help.
    pub fn help() -> String {
        let one = |format: &Self| format!("{}: {}", format.name(), format.facts().about);
        Self::ALL.iter().map(one).collect::<Vec<_>>().join("; ")
    }

    /// The names of all output formats, for messages.
    pub(crate) fn names() -> String {
        let names: Vec<_> = Self::ALL.iter().map(|format| format.name()).collect();
        names.join(", ")
    }
}

impl fmt::Display for OutputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_unique_and_lead_back() {
        for &format in OutputFormat::ALL {
            assert!(OutputFormat::help().contains(&format!("{format}: ")));
            if let Some(extension) = format.facts().extension {
                assert_eq!(OutputFormat::of_path(Path::new(&format!("a/b.{extension}"))), Some(format));
            }
        }
        assert_eq!(OutputFormat::of_path(Path::new("OUT.CSV")), Some(OutputFormat::Csv));
        for other in ["out", "csv", ".csv", "out.xml", "-"] {
            assert_eq!(OutputFormat::of_path(Path::new(other)), None, "{other}");
        }
    }
}
