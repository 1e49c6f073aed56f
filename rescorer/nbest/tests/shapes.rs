//! Every shape of JSON: a sample with its lists, and what is wrong with it when it is spoilt.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use rescorer_nbest::{Error, Format, JsonlWriter, Notice, ReadOptions, Reader, Utterance};
use serde_json::{Value, json};

#[path = "shapes/samples.rs"]
mod samples;

use samples::{SAMPLES, Sample};

type Read = Result<(Format, Vec<Result<Utterance, Error>>), Error>;

fn read_as(format: Option<Format>, text: impl AsRef<[u8]>) -> (Read, Vec<Notice>) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let to = said.clone();
    let options = ReadOptions::default()
        .with_format(format)
        .with_notices(Arc::new(move |notice: &Notice| to.lock().unwrap().push(notice.clone())));
    let input = std::io::Cursor::new(text.as_ref().to_vec());
    let reader = Reader::from_read("x.json", input, &options);
    let read = reader.map(|reader| (reader.format(), reader.collect()));
    let said = said.lock().unwrap().clone();
    (read, said)
}

fn lists(text: impl AsRef<[u8]>) -> Vec<Utterance> {
    let shown = String::from_utf8_lossy(text.as_ref()).into_owned();
    let (_, lists) = read_as(None, text).0.unwrap_or_else(|error| panic!("{shown}: {error}"));
    lists.into_iter().map(|list| list.unwrap_or_else(|error| panic!("{shown}: {error}"))).collect()
}

/// The first error of an input.
fn refusal(text: impl AsRef<[u8]>) -> String {
    let shown = String::from_utf8_lossy(text.as_ref()).into_owned();
    match read_as(None, text).0 {
        Err(error) => error.to_string(),
        Ok((_, lists)) => {
            lists.into_iter().find_map(Result::err).unwrap_or_else(|| panic!("{shown}: no error")).to_string()
        }
    }
}

fn value(sample: &Sample) -> Value {
    serde_json::from_str(sample.text).unwrap()
}

fn check(sample: &Sample, found: &[Utterance]) {
    assert_eq!(found.len(), sample.lists.len(), "{}: {found:?}", sample.text);
    for (list, (id, texts, scores, reference)) in found.iter().zip(sample.lists) {
        let found: Vec<_> = list.nbest.iter().map(|one| one.text.as_str()).collect();
        assert_eq!((list.id.as_str(), found.as_slice()), (*id, *texts), "{}", sample.text);
        assert_eq!(list.reference.as_deref(), *reference, "{}", sample.text);
        assert_eq!(list.nbest.is_scored(), !scores.is_empty(), "{}", sample.text);
        for (found, expected) in list.nbest.first_pass().iter().zip(*scores) {
            assert!((found - expected).abs() < 1e-12, "{found} for {expected}: {}", sample.text);
        }
    }
}

#[test]
fn each_sample_is_told_and_read() {
    for sample in SAMPLES {
        let (read, said) = read_as(None, sample.text);
        let (format, _) = read.unwrap_or_else(|error| panic!("{}: {error}", sample.text));
        assert_eq!(format, sample.format, "{}", sample.text);
        assert!(said.iter().all(|notice| matches!(notice, Notice::WithoutLists { .. })), "{said:?}");
        check(sample, &lists(sample.text));
        check(sample, &lists(serde_json::to_string_pretty(&value(sample)).unwrap()));
        let (named, _) = read_as(Some(sample.format), sample.text);
        let named: Vec<_> = named.unwrap().1.into_iter().map(Result::unwrap).collect();
        assert_eq!(named, lists(sample.text), "{}", sample.text);
    }
}

#[test]
fn answers_come_one_a_line_and_in_a_list() {
    for sample in SAMPLES {
        let one = value(sample).to_string();
        let is_list = one.starts_with('[');
        let forms = [Some(format!("{one}\n{one}\n")), (!is_list).then(|| format!("[{one},\n{one}]"))];
        for text in forms.into_iter().flatten() {
            let (_, found) = read_as(None, &text).0.unwrap_or_else(|error| panic!("{text}: {error}"));
            let texts = |list: &Utterance| list.nbest.iter().map(|one| one.text.clone()).collect::<Vec<_>>();
            let expected: Vec<_> = sample.lists.iter().map(|(_, texts, ..)| texts.to_vec()).collect();
            assert_eq!(found.len(), 2 * expected.len(), "{text}: {found:?}");
            // Ids that the answers state are there twice.
            for (found, expected) in found.iter().zip(expected.iter().cycle()) {
                match found {
                    Ok(list) => assert_eq!(texts(list), *expected, "{text}"),
                    Err(error) => assert!(matches!(error, Error::DuplicateId { .. }), "{text}: {error}"),
                }
            }
        }
    }
}

#[test]
fn what_is_written_is_read_back() {
    for sample in SAMPLES {
        let found = lists(sample.text);
        let mut writer = JsonlWriter::new("x", Vec::new());
        for list in &found {
            writer.write(list).unwrap_or_else(|error| panic!("{}: {error}", sample.text));
        }
        assert_eq!(lists(writer.finish().unwrap()), found, "{}", sample.text);
    }
}

#[test]
fn answers_that_are_cut_are_errors() {
    for sample in SAMPLES {
        for end in (0..sample.text.len()).step_by(3).filter(|end| sample.text.is_char_boundary(*end)) {
            // No error at the end of a list that is whole is one: `[...` goes on.
            let refused = refusal(&sample.text[..end]);
            assert!(!refused.is_empty());
        }
        let error = refusal(&sample.text[..sample.text.trim_end().len() - 1]);
        let told =
            ["cut short", "the line ends inside", "cannot tell"].iter().any(|told| error.contains(told));
        assert!(told, "{error}");
    }
}

#[test]
fn wrong_types_are_named() {
    for sample in SAMPLES {
        for wrong in [json!(7), json!({"a": 1}), json!(true)] {
            let mut spoilt = value(sample);
            *spoilt.pointer_mut(sample.text_at).unwrap() = wrong.clone();
            let message = refusal(spoilt.to_string());
            let field = sample.text_at.rsplit('/').find(|part| part.parse::<u32>().is_err()).unwrap_or("");
            let told = message.contains(field) && (message.contains(" is ") || message.contains("no field"));
            // The text of a beam is made of its words.
            let made =
                sample.format == Format::Beams && message.contains("has no field `hypotheses[0].text`");
            assert!(told || made || message.contains("cannot tell"), "{wrong}: {message}");
        }
        let none = refusal(value(sample).as_object().map_or("[7]", |_| "{\"a\": 7}"));
        assert!(none.contains("no known shape has these; the nearest are "), "{none}");
    }
}

#[test]
fn keys_that_repeat_and_numbers_that_are_none() {
    for sample in SAMPLES.iter().filter(|sample| sample.text.starts_with('{')) {
        let spoilt = sample.text.replacen('{', "{\"nobody_reads_this\": [NaN, -Infinity], ", 1);
        // ESPnet's documents have ids there.
        if sample.format != Format::EspnetJson {
            check(sample, &lists(&spoilt));
        }
        let mut writer = JsonlWriter::new("x", Vec::new());
        let found = read_as(None, &spoilt).0.unwrap().1;
        found.iter().flatten().for_each(|list| writer.write(list).unwrap());
        let written = String::from_utf8(writer.finish().unwrap()).unwrap();
        assert!(written.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{written}");
        let at = sample.text.rfind("\"text\"").or_else(|| sample.text.rfind("\"transcript\""));
        let Some(at) = at.filter(|_| !sample.text.contains("\"logprobs\"")) else { continue };
        let open = sample.text[..at].rfind(['{', ',']).unwrap() + 1;
        let twice = format!("{} \"k\": 1, \"k\": 2, {}", &sample.text[..open], &sample.text[open..]);
        assert!(refusal(&twice).contains("the key `k` twice"), "{}", refusal(&twice));
    }
}

#[test]
fn partial_results_are_left_out_and_counted() {
    let cases = [
        (
            "{\"partial\": \"\"}\n{\"partial\": \"t\"}",
            "{\"alternatives\": [{\"text\": \"two\", \"confidence\": 1}]}",
        ),
        ("{\n  \"partial\" : \"\"\n}\n{\n  \"partial\" : \"t\"\n}", "{\n  \"text\" : \"two\"\n}"),
        (
            "{\"results\": [{\"alternatives\": [{\"transcript\": \"t\"}], \"stability\": 0.9}]}\n\
             {\"results\": [{\"alternatives\": [{\"transcript\": \"t\"}], \"isFinal\": false}]}",
            "{\"results\": [{\"alternatives\": [{\"transcript\": \"two\"}], \"isFinal\": true}]}",
        ),
        (
            "{\"Transcript\": {\"Results\": [{\"Alternatives\": [{\"Transcript\": \"t\"}], \"IsPartial\": true}]}}\n\
             {\"Transcript\": {\"Results\": [{\"Alternatives\": [{\"Transcript\": \"tw\"}], \"IsPartial\": true}]}}",
            "{\"Transcript\": {\"Results\": [{\"Alternatives\": [{\"Transcript\": \"two\"}], \"IsPartial\": false}]}}",
        ),
    ];
    for (partial, last) in cases {
        let (read, said) = read_as(None, format!("{partial}\n{last}\n"));
        let found: Vec<_> = read.unwrap().1.into_iter().map(Result::unwrap).collect();
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((one.id.as_str(), one.nbest.first().text.as_str()), ("x:0", "two"));
        assert_eq!(said, [Notice::PartialResults { path: "x.json".into(), count: 2 }], "{partial}");
        // Nothing else.
        let (read, said) = read_as(None, partial);
        assert!(matches!(read.unwrap().1.as_slice(), [Err(Error::Empty { .. })]), "{partial}");
        assert_eq!(said.len(), 1);
    }
}

#[test]
fn answers_without_lists_are_counted() {
    let text = "{\"results\": [{\"alternatives\": [{\"transcript\": \"a\"}]}]}\n{\"totalBilledTime\": \"0s\"}\n{\"results\": []}\n";
    let (read, said) = read_as(None, text);
    assert_eq!(read.unwrap().1.len(), 1);
    assert_eq!(said[0].to_string(), "x.json: answers without hypotheses left out: 1");
    let text = "{\"RecognitionStatus\": \"InitialSilenceTimeout\", \"Offset\": 0}\n\
                {\"RecognitionStatus\": \"Success\", \"NBest\": [{\"Lexical\": \"a\", \"Display\": \"A.\"}]}";
    let (read, said) = read_as(None, text);
    assert_eq!((read.unwrap().1.len(), said.len()), (1, 1));
}

#[test]
fn formats_in_one_file_are_told_apart() {
    let google = "{\"results\": [{\"alternatives\": [{\"transcript\": \"a\"}]}]}";
    for other in
        ["{\"segments\": [], \"text\": \"a\"}", "{\"input\": [\"a\"]}", "{\"results\": 7}", "{\"a\": 1}"]
    {
        let (read, _) = read_as(None, format!("{google}\n{other}\n{google}"));
        let found = read.unwrap().1;
        let errors: Vec<_> =
            found.iter().filter_map(|one| one.as_ref().err()).map(Error::to_string).collect();
        assert_eq!(errors.len(), 1, "{other}: {errors:?}");
        assert!(errors[0].starts_with("x.json:2"), "{errors:?}");
    }
}

#[test]
fn one_list_of_an_object_is_read_from_python_too() {
    // The documents of ids to lists hold no field of a list.
    let objects = SAMPLES.iter().filter(|sample| sample.text.starts_with('{'));
    for sample in objects.filter(|sample| sample.format != Format::EspnetJson) {
        let Value::Object(object) = value(sample) else { panic!() };
        let unread = object.keys().find(|key| Utterance::is_read(key));
        assert!(unread.is_some(), "{}", sample.text);
        let read = Utterance::from_object(object, "x:0");
        match sample.lists.len() {
            // A phrase without speech is a list here, and is refused.
            _ if sample.text.contains("Failure") => assert!(read.is_err()),
            1 => {
                let mut found = read.unwrap_or_else(|error| panic!("{}: {error}", sample.text));
                // The key of a document is no part of its list.
                if matches!(sample.format, Format::EspnetData | Format::KaldiServer) {
                    found.id = sample.lists[0].0.to_owned();
                }
                check(sample, &[found]);
            }
            count => {
                let message = read.unwrap_err().to_string();
                assert!(
                    message.contains(&format!("holds {count} lists, but one is to be given")),
                    "{message}"
                );
            }
        }
    }
}
