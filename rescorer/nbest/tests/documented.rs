//! What is read is in the documents, and every shape of JSON has a sample.

use rescorer_nbest::{Format, ScoreKind};

const SAMPLES: &str = include_str!("shapes/samples.rs");
const PAGE: &str = include_str!("../../../docs/formats.md");
const NAMES: &str = include_str!("../src/scores/names.rs");

/// Formats that are no JSON: they have tests of their own.
fn is_json(format: Format) -> bool {
    use Format::{Csv, EspnetFolder, Kaldi, Nemo, Srilm, Torchaudio, Tsv, Wav2letter};
    let others = [EspnetFolder, Kaldi, Nemo, Srilm, Wav2letter, Torchaudio, Csv, Tsv];
    !others.contains(&format) && !["parquet", "arrow"].contains(&format.to_string().as_str())
}

#[test]
fn every_format_has_a_row_and_every_shape_of_json_a_sample() {
    for &format in Format::ALL {
        assert!(PAGE.contains(&format!("`{format}`")), "{format} is not in docs/formats.md");
        if is_json(format) {
            let count = SAMPLES.matches(&format!("format: Format::{format:?},")).count();
            assert!(count > 0, "{format} has no sample");
            assert!(PAGE.contains(&format!("| `{format}`")), "{format} has no row in docs/formats.md");
        }
    }
}

#[test]
fn every_name_of_a_score_is_in_the_documents() {
    let begins = ["whole(\"", "part(\""];
    let names = NAMES.lines().filter_map(|line| {
        let rest = begins.iter().find_map(|begin| line.trim_start().strip_prefix(begin))?;
        rest.split('"').next()
    });
    let mut count = 0;
    for name in names {
        assert!(ScoreKind::of(name).is_some(), "{name} is no name");
        assert!(PAGE.contains(&format!("`{name}`")), "{name} is not in docs/formats.md");
        count += 1;
    }
    assert!(count > 40, "only {count} names found");
}
