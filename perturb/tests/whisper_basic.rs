//! `whisper-basic` against what openai-whisper itself makes of the same texts
//! (`fixtures/whisper_basic.py`).
#![allow(clippy::unwrap_used)]

use rescorer_perturb::Normalization;

#[derive(serde::Deserialize)]
struct Case {
    text: String,
    normalized: String,
}

#[test]
fn equals_openai_whisper() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("fixtures/whisper_basic.json")).unwrap();
    assert!(cases.len() >= 40);
    for Case { text, normalized } in cases {
        assert_eq!(Normalization::WhisperBasic.apply(&text), normalized, "{text:?}");
    }
}
