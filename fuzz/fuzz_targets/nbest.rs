//! Any bytes are utterances or errors, in the format of the first byte or in the one that is detected, and what is read comes back
//! from the native format as it was.
#![no_main]

use std::io::Cursor;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use rescorer_nbest::{Format, JsonlWriter, ReadOptions, Reader, Utterance};

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, bytes)) = bytes.split_first() else { return };
    let format = usize::from(first) % (Format::ALL.len() + 1);
    let format = format.checked_sub(1).map(|format| Format::ALL[format]);
    let read = read(bytes, format);
    let (mut writer, mut written) = (JsonlWriter::new("fuzz", Vec::new()), Vec::new());
    for utterance in read {
        assert!(utterance.nbest.iter().all(|h| h.score.is_none_or(f64::is_finite)), "{utterance:?}");
        match writer.write(&utterance) {
            Ok(()) => written.push(utterance),
            // A carried field has the name of a field of the native format.
            Err(error) => assert!(error.to_string().contains("has the name of"), "{error}"),
        }
    }
    let lines = writer.finish().unwrap_or_else(|error| panic!("{error}"));
    if !written.is_empty() {
        let back = read_strictly(&lines);
        assert_eq!(back, written, "{}", String::from_utf8_lossy(&lines));
    }
});

/// The utterances of a file; each error and each notice has something to say.
fn read(bytes: &[u8], format: Option<Format>) -> Vec<Utterance> {
    let options = ReadOptions::default()
        .with_format(format)
        .with_notices(Arc::new(|notice| assert!(!notice.to_string().is_empty())));
    let utterances = match Reader::from_read("fuzz", Cursor::new(bytes.to_vec()), &options) {
        Ok(reader) => reader,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Vec::new();
        }
    };
    let said = |error: &rescorer_nbest::Error| assert!(!error.to_string().is_empty());
    utterances.inspect(|result| result.as_ref().err().into_iter().for_each(said)).filter_map(Result::ok).collect()
}

fn read_strictly(lines: &[u8]) -> Vec<Utterance> {
    let options = ReadOptions::default().with_format(Format::Jsonl);
    let reader = Reader::from_read("fuzz", Cursor::new(lines.to_vec()), &options);
    let back = reader.and_then(|reader| reader.collect::<Result<_, _>>());
    back.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(lines)))
}
