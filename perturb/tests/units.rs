//! Characters and mixed units against a count in Python, and against jiwer (`fixtures/units.py`).
#![allow(clippy::unwrap_used)]

use rescorer_perturb::{Metric, Unit, UtteranceErrors};

#[derive(serde::Deserialize)]
struct Count {
    errors: usize,
    units: usize,
}

#[derive(serde::Deserialize)]
struct Case {
    reference: String,
    hypothesis: String,
    character: Count,
    mixed: Count,
    mixed_units: Vec<String>,
    jiwer_cer: Option<f64>,
    jiwer_cer_without_blanks: Option<f64>,
}

fn cases() -> Vec<Case> {
    let cases: Vec<Case> = serde_json::from_str(include_str!("fixtures/units.json")).unwrap();
    assert!(cases.len() >= 30);
    cases
}

fn count(unit: Unit, case: &Case) -> UtteranceErrors {
    Metric { unit, ..Metric::default() }.errors(&case.reference, &case.hypothesis)
}

#[test]
fn both_units_equal_the_count_in_python() {
    for case in cases() {
        assert_eq!(Unit::Mixed.split(&case.reference), case.mixed_units);
        for (unit, expected) in [(Unit::Character, &case.character), (Unit::Mixed, &case.mixed)] {
            let found = count(unit, &case);
            let expected = (expected.errors, expected.units);
            assert_eq!((found.errors, found.reference_words), expected, "{unit} {:?}", case.reference);
        }
    }
}

#[test]
fn characters_equal_jiwer_but_for_blanks() {
    for case in cases() {
        let row = count(Unit::Character, &case);
        let Some(expected) = case.jiwer_cer_without_blanks else { continue };
        let found = row.errors as f64 / row.reference_words as f64;
        assert!((found - expected).abs() < 1e-12, "{:?}: {found} {expected}", case.reference);
        let has_blank =
            [&case.reference, &case.hypothesis].iter().any(|text| text.contains(char::is_whitespace));
        if !has_blank {
            assert_eq!(case.jiwer_cer, case.jiwer_cer_without_blanks, "{:?}", case.reference);
        }
    }
}
