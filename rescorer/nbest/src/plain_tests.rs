use std::io::Cursor;
use std::sync::{Arc, Mutex};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;
use crate::body::Body;
use crate::formats;
use crate::json_body::JsonBody;
use crate::notice::Notices;
use crate::reading::Reading;
use crate::source::Source;
use crate::{Format, Notice};

/// What is read of lines, errors and notices too, with or without the way for plain lists.
fn read(lines: &str, is_plain: bool) -> Vec<String> {
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = said.clone();
    let listener = move |notice: &Notice| heard.lock().unwrap().push(format!("{notice:?}"));
    let notices = Notices::to(Some(Arc::new(listener)));
    let reading = Arc::new(Reading { notices, ..Reading::default() });
    let source = Source::new("x.jsonl", Cursor::new(lines.to_owned()));
    let json = &formats::json(Format::Jsonl)[0];
    let mut body = JsonBody::new(source, Format::Jsonl, json, reading, "x".to_owned());
    if !is_plain {
        body = body.without_plain();
    }
    let mut read = Vec::new();
    loop {
        let next = body.next();
        let ends = !matches!(&next, Ok(Some(_)) | Err(_))
            || next.as_ref().is_err_and(|error| !error.is_recoverable());
        read.push(format!("{next:?}"));
        if ends {
            break;
        }
    }
    read.extend(said.lock().unwrap().drain(..));
    read
}

fn is_plain(line: &str) -> bool {
    utterance(line.as_bytes(), || "x".to_owned()).is_some()
}

fn string() -> impl Strategy<Value = String> {
    let odd = [
        "\"\"",
        "\"\\u0041\\n\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud800\"",
        "\"\\x\"",
        "\"a",
        "\"\u{1}\"",
        "\" \"",
    ];
    let any = any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap());
    prop_oneof![24 => "\"[a-c ]{0,5}\"", 6 => any, 1 => select(odd.map(str::to_owned).to_vec())]
}

fn number() -> impl Strategy<Value = String> {
    let odd = "0 -0 -0.0 1E+2 1e999 -1e-999 18446744073709551615 18446744073709551616 -9223372036854775809 01 1. - NaN \
               0.30000000000000004 123456789012345678901234567890.5 -Infinity +1 0x1";
    let any = any::<f64>().prop_map(|number| serde_json::to_string(&number).unwrap());
    let odd: Vec<String> = odd.split_whitespace().map(str::to_owned).collect();
    prop_oneof![12 => "-[0-9]{1,2}\\.[0-9]{1,4}", 4 => any, 1 => select(odd)]
}

fn other() -> impl Strategy<Value = String> {
    select(
        ["null", "true", "[]", "{}", "[1, \"a\"]", "{\"a\": 1}", "nul", "[\"a\", -1.5]", "[-1.5, \"a\"]"]
            .map(str::to_owned)
            .to_vec(),
    )
}

/// An object of these fields, in any order, with what else may stand in it; a key may stand twice.
fn object(
    fields: Vec<(&'static str, BoxedStrategy<String>)>,
    rare: &'static [&'static str],
) -> BoxedStrategy<String> {
    let usual: Vec<_> = fields.iter().map(|(name, value)| (Just(*name), value.clone())).collect();
    let any_value = || prop_oneof![string(), number(), other()].boxed();
    let names: Vec<&'static str> = fields.iter().map(|(name, _)| *name).chain(rare.iter().copied()).collect();
    let odd = vec((select(names), any_value()), 0..3);
    let member = |(name, value): (&str, String)| format!("\"{name}\": {value}");
    let all = (usual, prop_oneof![7 => Just(Vec::new()), 1 => odd], select(vec![", ", ",", " ,\t", ",,"]));
    let all = (all, 0..24_usize);
    all.prop_perturb(move |((usual, odd, comma), missing), mut random| {
        let mut members: Vec<String> = usual.into_iter().chain(odd).map(member).collect();
        // Some are left out, and the order is any.
        if missing < members.len() {
            members.swap_remove(missing);
        }
        if random.random_bool(0.3) {
            members.reverse();
        }
        let comma = if random.random_bool(0.95) { ", " } else { comma };
        format!("{{{}}}", members.join(comma))
    })
    .boxed()
}

fn line() -> impl Strategy<Value = String> {
    let hypothesis = || {
        let fields = vec![("text", string().boxed()), ("score", number().boxed())];
        let rare = &[
            "am_score",
            "confidence",
            "avg_logprob",
            "segments",
            "words",
            "transcript",
            "ys_probs",
            "sc\\u006fre",
        ];
        prop_oneof![24 => object(fields, rare), 1 => string(), 1 => number(), 1 => other()]
    };
    let list = prop_oneof![1 => vec(hypothesis(), 0..4), 3 => vec(hypothesis(), 1..3)]
        .prop_map(|all| format!("[{}]", all.join(", ")));
    let hypotheses = prop_oneof![24 => list, 1 => string(), 1 => other()].boxed();
    let id = prop_oneof![16 => string(), 1 => number(), 1 => other()].boxed();
    let text = || prop_oneof![4 => string(), 1 => Just("null".to_owned())].boxed();
    let fields = vec![("id", id), ("hypotheses", hypotheses), ("reference", text()), ("context", text())];
    let whole =
        object(fields, &["hyps", "scores", "segments", "am_score", "audio", "\\u0069d", "text", "input"]);
    let broken =
        (whole.clone(), any::<prop::sample::Index>(), select(vec!["", "\"", "}", "]", " ", "\\", "é", "\0"]));
    let broken = broken.prop_map(|(line, at, with)| {
        let mut characters: Vec<String> = line.chars().map(String::from).collect();
        let at = at.index(characters.len());
        characters[at] = with.to_owned();
        characters.concat()
    });
    let around = whole.clone().prop_map(|line| format!(" [{line}] "));
    prop_oneof![20 => whole, 4 => broken, 1 => around, 1 => other(), 1 => Just(String::new())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn plain_lists_are_what_the_general_way_gives(lines in vec(line(), 1..4), end in select(vec!["", "\n", "\r\n"])) {
        let text = lines.join("\n") + end;
        prop_assert_eq!(read(&text, true), read(&text, false), "{}", text);
    }
}

#[test]
fn the_lines_that_are_compared_are_plain_and_others() {
    let mut runner = TestRunner::deterministic();
    let lines = (0..500).map(|_| line().new_tree(&mut runner).unwrap().current());
    let count = lines.filter(|line| is_plain(line)).count();
    assert!((50..450).contains(&count), "{count} of 500");
}

#[test]
fn usual_lines_are_plain_and_others_are_not() {
    for plain in [
        r#"{"id": "u1", "hypotheses": [{"text": "a cat", "score": -1.5}], "reference": "a hat"}"#,
        r#" {"hypotheses":[{"score":-1,"text":"\u0061 \"cat\""},{"text":"","score":1e3}],"context":"x","reference":null} "#,
        r#"{"hypotheses": [{"text": "a"}, {"text": "b"}], "id": null}"#,
    ] {
        assert!(is_plain(plain), "{plain}");
    }
    for other in [
        r#"{"id": "", "hypotheses": [{"text": "a"}]}"#,
        r#"{"id": 7, "hypotheses": [{"text": "a"}]}"#,
        r#"{"id": "u1", "hypotheses": []}"#,
        r#"{"id": "u1", "hypotheses": ["a"]}"#,
        r#"{"id": "u1", "hypotheses": [{"text": "a"}, {"text": "b", "score": 1}]}"#,
        r#"{"id": "u1", "hypotheses": [{"text": "a", "score": 1e999}]}"#,
        r#"{"id": "u1", "hypotheses": [{"text": "a", "am_score": -1}]}"#,
        r#"{"id": "u1", "hypotheses": [{"text": "a"}], "speaker": "s1"}"#,
        r#"{"id": "u1", "id": "u1", "hypotheses": [{"text": "a"}]}"#,
        r#"["u1", [{"text": "a"}], null, null]"#,
        r#"{"id": "u1", "hypotheses": [{"text": "a"}]} x"#,
    ] {
        assert!(!is_plain(other), "{other}");
    }
}
