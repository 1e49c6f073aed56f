//! The first line is a value of `--columns`, the rest a file of lists: whatever they are, lists or an error with a message.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use rescorer_nbest::{FieldNames, Format, ReadOptions, Reader};

/// The formats whose fields or columns have names.
const FORMATS: [Option<Format>; 5] =
    [None, Some(Format::Jsonl), Some(Format::Csv), Some(Format::Tsv), Some(Format::Parquet)];

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, bytes)) = bytes.split_first() else { return };
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    let Ok(names) = std::str::from_utf8(&bytes[..end]) else { return };
    let names: FieldNames = match names.parse() {
        Ok(names) => names,
        Err(error) => return assert!(!rescorer_nbest::Error::to_string(&error).is_empty()),
    };
    let format = FORMATS[usize::from(first) % FORMATS.len()];
    let options = ReadOptions::default().with_format(format).with_names(names);
    let Ok(reader) = Reader::from_read("fuzz", Cursor::new(bytes[end + 1..].to_vec()), &options) else { return };
    for utterance in reader {
        match utterance {
            Ok(utterance) => assert!(utterance.nbest.iter().all(|h| h.score.is_none_or(f64::is_finite))),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});
