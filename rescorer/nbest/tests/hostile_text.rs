//! Text made of the pieces of the formats, put together wrongly: no panic, no endless reading.
#![allow(clippy::unwrap_used)]

use std::io::Cursor;
use std::sync::Arc;

use proptest::prelude::*;
use rescorer_nbest::{Format, Notice, ReadOptions, Reader};

const PIECES: [&str; 42] = [
    "NBestList1.0\n",
    "NBestList2.0\n",
    "(-12)",
    "(",
    ")",
    " a",
    "-1",
    " 2 ",
    "3",
    "\n",
    "\r\n",
    "\t",
    ";",
    ",",
    " | ",
    "|",
    "id",
    "text",
    "score",
    "confidence",
    "cost",
    "position",
    "reference",
    "extra",
    "utterance_extra",
    "\"",
    "'",
    "\\",
    "[",
    "]",
    "CTCHypothesis(",
    "CUCTCHypothesis(",
    "words=",
    "tokens=",
    "tensor(",
    "nan",
    "-inf",
    "1e999",
    "0,5",
    "é",
    "\u{2028}",
    "\u{FEFF}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn pieces_in_any_order_are_lists_or_errors(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40)) {
        let text = pieces.concat();
        let texts = [Format::Csv, Format::Tsv, Format::Srilm, Format::Wav2letter, Format::Torchaudio];
        for format in texts.into_iter().map(Some).chain([None]) {
            for names in ["", "text=a,score=-cost", "score=confidence,score=3"] {
                let options = ReadOptions::default().with_format(format).with_notices(Arc::new(|notice: &Notice| {
                    let _ = notice.to_string();
                }));
                let names = if names.is_empty() { Default::default() } else { names.parse().unwrap() };
                match Reader::from_read("x", Cursor::new(text.clone()), &options.with_names(names)) {
                    Ok(reader) => prop_assert!(reader.count() <= text.len() + 1, "{:?} {:?}", format, text),
                    Err(error) => prop_assert!(!error.to_string().is_empty()),
                }
            }
        }
    }
}
