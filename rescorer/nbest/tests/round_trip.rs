//! What is written is read back the same.
#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use rescorer_nbest::{Format, Hypothesis, JsonlWriter, NBest, ReadOptions, Reader, Utterance};
use serde_json::{Map, Value, json};

fn extra() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|x| json!(x)),
        any::<String>().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..3).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    // No field of the format begins with an underscore.
    btree_map("_.{0,6}", value, 0..3).prop_map(|map| map.into_iter().collect())
}

fn nbest() -> impl Strategy<Value = NBest> {
    let hypotheses =
        vec((any::<String>(), any::<f64>().prop_filter("finite", |x| x.is_finite()), extra()), 1..6);
    (hypotheses, any::<bool>()).prop_map(|(hypotheses, scored)| {
        let hypotheses = hypotheses.into_iter().map(|(text, score, extra)| Hypothesis {
            text,
            score: scored.then_some(score),
            extra,
        });
        NBest::new(hypotheses.collect()).unwrap()
    })
}

fn utterances() -> impl Strategy<Value = Vec<Utterance>> {
    let text = || option::of(any::<String>());
    let fields = (nbest(), text(), text(), extra());
    btree_map(".{1,8}", fields, 1..5).prop_map(|all| {
        let whole =
            |(id, (nbest, reference, context, extra))| Utterance { id, nbest, reference, context, extra };
        all.into_iter().map(whole).collect()
    })
}

fn write(utterances: &[Utterance]) -> Vec<u8> {
    let mut writer = JsonlWriter::new("x", Vec::new());
    utterances.iter().try_for_each(|utterance| writer.write(utterance)).unwrap();
    writer.finish().unwrap()
}

fn read(text: impl Into<Vec<u8>>, format: Format) -> Vec<Utterance> {
    let options = ReadOptions::default().with_format(format);
    Reader::from_read("x", Cursor::new(text.into()), &options).unwrap().collect::<Result<_, _>>().unwrap()
}

/// The same utterances in a document of another format, where that can hold them.
fn document(utterances: &[Utterance], format: Format, pretty: bool) -> String {
    let score = |h: &Hypothesis| json!(h.score);
    let mut objects = utterances.iter().map(|u| {
        let mut object = u.extra.clone();
        match format {
            Format::HyporadiseJson => {
                object.insert("input".to_owned(), u.nbest.iter().map(|h| json!(h.text)).collect());
                if u.nbest.is_scored() {
                    object.insert("am_score".to_owned(), u.nbest.iter().map(score).collect());
                }
                object.insert("output".to_owned(), json!(u.reference));
                object.insert("id".to_owned(), json!(u.id));
            }
            _ => {
                for (position, h) in u.nbest.iter().enumerate() {
                    let mut hypothesis = h.extra.clone();
                    hypothesis.insert("text".to_owned(), json!(h.text));
                    hypothesis.insert("score".to_owned(), score(h));
                    object.insert(format!("hyp_{}", position + 1), Value::Object(hypothesis));
                }
                object.insert("ref".to_owned(), json!(u.reference));
            }
        }
        object.insert("context".to_owned(), json!(u.context));
        (u.id.clone(), Value::Object(object))
    });
    let whole: Value = match format {
        Format::HyporadiseJson => objects.by_ref().map(|(_, object)| object).collect(),
        _ => Value::Object(objects.collect()),
    };
    if pretty { serde_json::to_string_pretty(&whole).unwrap() } else { whole.to_string() }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn native_files_are_read_back_the_same(utterances in utterances()) {
        let text = write(&utterances);
        prop_assert_eq!(text.iter().filter(|&&b| b == b'\n').count(), utterances.len());
        prop_assert_eq!(&read(text.clone(), Format::Jsonl), &utterances);
        prop_assert_eq!(write(&read(text.clone(), Format::Jsonl)), text);
    }

    #[test]
    fn documents_are_read_as_written(utterances in utterances(), pretty: bool) {
        prop_assert_eq!(&read(document(&utterances, Format::EspnetJson, pretty), Format::EspnetJson), &utterances);
        let plain: Vec<_> = utterances.into_iter().map(|mut u| {
            let hypotheses = u.nbest.into_hypotheses().into_iter();
            u.nbest = NBest::new(hypotheses.map(|h| Hypothesis { extra: Map::new(), ..h }).collect()).unwrap();
            u
        }).collect();
        prop_assert_eq!(&read(document(&plain, Format::HyporadiseJson, pretty), Format::HyporadiseJson), &plain);
    }

    #[test]
    fn no_input_makes_a_reader_panic(bytes in vec(prop_oneof![
        Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'"'), Just(b','), Just(b':'), Just(b'\\'), Just(b'\n'),
        Just(b'1'), Just(b' '), any::<u8>(),
    ], 0..40)) {
        for format in Format::ALL.iter().copied().map(Some).chain([None]) {
            let options = ReadOptions::default().with_format(format);
            if let Ok(reader) = Reader::from_read("x", Cursor::new(bytes.clone()), &options) {
                // At most an error or an utterance a byte, and the error that there is none.
                prop_assert!(reader.count() <= bytes.len() + 1);
            }
        }
    }

    #[test]
    fn distinct_hypotheses_account_for_every_line(list in nbest()) {
        let distinct = list.unique();
        prop_assert_eq!(distinct.listed().len(), list.len());
        for (position, (hypothesis, index)) in list.iter().zip(distinct.listed()).enumerate() {
            let found = distinct.hypotheses()[*index];
            prop_assert_eq!(&list.hypotheses()[found.position].text, &hypothesis.text);
            prop_assert!(found.position <= position && found.first_pass >= list.first_pass()[position]);
        }
    }
}
