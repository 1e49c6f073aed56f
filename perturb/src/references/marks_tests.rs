use proptest::prelude::*;

use super::*;
use crate::{Normalization, Unit};

fn count(reference: &str, hypothesis: &str) -> (usize, usize) {
    let row = errors(reference, hypothesis, Metric::default());
    (row.errors, row.reference_words)
}

fn errors(reference: &str, hypothesis: &str, metric: Metric) -> UtteranceErrors {
    let Some(marked) = MarkedReference::new(reference) else { return metric.errors(reference, hypothesis) };
    let hypothesis = metric.normalize.apply(hypothesis);
    marked.errors(&metric.unit.split(&hypothesis), metric)
}

fn has_marks(text: &str) -> bool {
    MarkedReference::new(text).is_some_and(|marked| marked.has_marks())
}

/// The numbers are those of `sclite -D`: errors, and correct, substituted and deleted words.
#[test]
fn counts_of_sclite() {
    assert_eq!(count("we are { going to / gonna } stop (uh) here", "we are gonna stop here"), (0, 6));
    assert_eq!(count("we are {going to / gonna} stop (uh) here", "we are going to stop uh here"), (0, 7));
    assert_eq!(count("(%hesitation) yes", "yes"), (0, 2));
    assert_eq!(count("we've { um / uh / @ } come far", "we've come far"), (0, 3));
    assert_eq!(count("we've { um / uh / @ } come far", "we've uh come far"), (0, 4));
    assert_eq!(count("a (uh) b", "a x b"), (1, 3));
    assert_eq!(count("a { b / { c / d } e } f", "a d e f"), (0, 4));
    assert_eq!(count("a { b c / @ } f", "a x f"), (1, 2));
    assert_eq!(count("he said wo- won't", "he said won't"), (1, 4));
    assert_eq!(count("a b (uh)", ""), (2, 3));
    assert_eq!(count("", "a b"), (2, 0));
}

#[test]
fn an_id_is_no_text() {
    let marked = MarkedReference::new("turn it off (spk1-utt_017)").unwrap();
    assert!(marked.has_id() && !marked.has_marks());
    assert_eq!(count("turn it off (spk1-utt_017)", "turn it off"), (0, 3));
    let has_id = |text: &str| MarkedReference::new(text).is_some_and(|marked| marked.has_id());
    assert!(!has_id("turn it off (please)") && !has_id("(uh-huh) yes") && !has_id("turn it off"));
}

#[test]
fn other_braces_and_strokes_are_text() {
    for text in ["a {laugh} b", "and/or", "a / b", "{ a / b", "a } b", "{ }", "()", "( a )", "f(x)"] {
        assert!(!has_marks(text), "{text}");
        assert_eq!(count(text, text), (0, text.split_whitespace().count()), "{text}");
    }
    let deep = format!("{}a{}", "{ b / ".repeat(100_000), " }".repeat(100_000));
    assert!(!has_marks(&deep));
}

#[test]
fn other_units_and_normalisations() {
    let metric = Metric { unit: Unit::Character, normalize: Normalization::Lower };
    let row = errors("今天{下午/夏午}(嗯)OK", "今天下午ok", metric);
    assert_eq!((row.errors, row.reference_words), (3, 9), "only a word by itself may be left out");
    let row = errors("今天{下午/夏午} (嗯) OK", "今天下午ok", metric);
    assert_eq!((row.errors, row.reference_words), (0, 7));
    let whisper = Metric::from(Normalization::WhisperBasic);
    assert_eq!(errors("Well, (uh) { it's / it is } so.", "well it is so", whisper).errors, 0);
}

fn words() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 0..7).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn without_marks_it_is_the_alignment(reference in words(), hypothesis in words()) {
        let (r, h) = (Unit::Word.split(&reference), Unit::Word.split(&hypothesis));
        let counts = crate::align(&r, &h).counts();
        prop_assert_eq!(count(&reference, &hypothesis).1, r.len());
        prop_assert!(count(&reference, &hypothesis).0 <= counts.errors());
    }

    #[test]
    fn alternatives_are_the_best_of_their_readings(
        before in words(), one in words(), other in words(), after in words(), hypothesis in words()
    ) {
        let marked = count(&format!("{before} {{ {one} @ / {other} @ }} {after}"), &hypothesis).0;
        let readings = [one, other].map(|middle| count(&format!("{before} {middle} {after}"), &hypothesis).0);
        // The cheapest alignment is that of a reading. Alignments of one cost c may differ in errors, since 3 · errors ≤ c ≤ 4 · errors.
        prop_assert!(readings.iter().any(|&reading| 3 * marked <= 4 * reading && 3 * reading <= 4 * marked));
    }

    #[test]
    fn any_text_is_read(text in "[a-b{}/@() ]{0,40}", hypothesis in words()) {
        let row = errors(&text, &hypothesis, Metric::default());
        prop_assert!(row.errors <= row.reference_words + Unit::Word.count(&hypothesis));
    }
}
