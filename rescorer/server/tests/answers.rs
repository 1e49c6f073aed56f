//! Answers are those of the library, whatever runs beside them.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{adapters, builder, options, start};
use rescorer::{Answer, Request, Rescorer};
use rescorer_nbest::{ReadOptions, Reader, Utterance};
use rescorer_server::ServerOptions;
use serde_json::json;

const WORDS: [&str; 8] = ["right", "write", "it", "down", "the", "cat", "hat", "sat"];

/// A list of up to five texts, without a score or with some.
fn list(number: usize) -> String {
    let text = |place: usize| {
        let count = 2 + (number + place) % 5;
        let word = |at: usize| WORDS[(number * 7 + place * (3 + number % 3) + at * at) % WORDS.len()];
        (0..count).map(word).collect::<Vec<_>>().join(" ")
    };
    let hypotheses: Vec<_> = (0..1 + number % 5)
        .map(|place| match number % 2 {
            0 => json!({ "text": text(place), "score": -(place as f64) / 2.0 - number as f64 / 10.0 }),
            _ => json!(text(place)),
        })
        .collect();
    let mut list = json!({ "id": format!("u{number}"), "hypotheses": hypotheses });
    match number % 4 {
        1 => list["adapter"] = json!("medical"),
        3 => list["adapter"] = json!("bare"),
        _ => {}
    }
    list.to_string()
}

fn read(list: &str) -> Utterance {
    let reader = Reader::from_read("lists", std::io::Cursor::new(list.to_owned()), &ReadOptions::default());
    reader.unwrap().next().unwrap().unwrap()
}

/// What the library says of lists, by name of their adapter.
struct Library {
    alone: Rescorer,
    medical: Rescorer,
    bare: Rescorer,
}

impl Library {
    fn new(folder: &std::path::Path) -> Self {
        let with = |name: &str| builder().adapter(name, folder.join(name)).build().unwrap();
        Self { alone: builder().build().unwrap(), medical: with("medical"), bare: with("bare") }
    }

    fn answer(&self, list: &str, nbest: bool) -> Answer {
        let utterance = read(list);
        let rescorer = match utterance.extra.get("adapter").and_then(|name| name.as_str()) {
            Some("medical") => &self.medical,
            Some("bare") => &self.bare,
            _ => &self.alone,
        };
        let request = Request::from(utterance);
        rescorer.rescore(if nbest { request.with_list() } else { request.text_only() }).unwrap()
    }

    fn json(&self, list: &str) -> String {
        serde_json::to_string(&self.answer(list, false)).unwrap()
    }
}

#[test]
fn they_are_the_same_to_the_byte_with_many_clients() {
    const CLIENTS: usize = 6;
    const LISTS: usize = 20;
    let folder = adapters();
    let server = start(
        builder().build().unwrap(),
        ServerOptions { adapters: Some(folder.path().into()), ..options() },
    );
    let library = Library::new(folder.path());
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (server, library) = (&server, &library);
            scope.spawn(move || {
                let lists: Vec<String> = (0..LISTS).map(|number| list(client + number * CLIENTS)).collect();
                let expected: Vec<String> = lists.iter().map(|list| library.json(list)).collect();
                let answer = if client % 2 == 0 {
                    let answer = server.lines("", &lists.join("\n"));
                    assert_eq!(answer.body.lines().collect::<Vec<_>>(), expected, "client {client}");
                    answer
                } else {
                    let answer = server.rescore("", &format!("[{}]", lists.join(",")));
                    assert_eq!(answer.body, format!("[{}]", expected.join(",")), "client {client}");
                    answer
                };
                assert_eq!(answer.status, 200);
                // One at a time.
                for (list, expected) in lists.iter().zip(&expected).take(4) {
                    assert_eq!(server.rescore("", list).body, *expected);
                }
            });
        }
    });
}

#[test]
fn a_whole_list_has_its_scores() {
    let server = start(builder().build().unwrap(), options());
    let library = builder().build().unwrap();
    let text = r#"{"id": "u", "hypotheses": [{"text": "write it", "score": -1}, {"text": "right it", "score": -2}]}"#;
    let answer = server.rescore("?nbest=true", text).json();
    let expected = library.rescore(Request::from(read(text)).with_list()).unwrap();
    let (found, expected) =
        (answer["hypotheses"].as_array().unwrap(), serde_json::to_value(&expected).unwrap());
    assert_eq!(found.len(), 2);
    for (found, expected) in found.iter().zip(expected["hypotheses"].as_array().unwrap()) {
        assert_eq!(found["text"], expected["text"]);
        let totals = [found, expected].map(|hypothesis| hypothesis["total"].as_f64().unwrap());
        assert!((totals[0] - totals[1]).abs() < 1e-4, "{totals:?}");
    }
}

#[test]
fn other_shapes_are_read_too() {
    let server = start(builder().build().unwrap(), options());
    let vosk = r#"{"alternatives": [{"text": "write it", "confidence": 2.5}, {"text": "right it", "confidence": 2.0}]}"#;
    assert_eq!(server.rescore("", vosk).json()["utterance"], "request:0");
    let two = "{\"hypotheses\": [\"a cat\"]}\n\n{\"hypotheses\": [\"a hat\"]}";
    let answer = server.rescore("", two).json();
    let ids: Vec<_> = answer.as_array().unwrap().iter().map(|answer| answer["utterance"].clone()).collect();
    assert_eq!(ids, ["request:0", "request:1"]);
    // An array of one stays one.
    assert_eq!(server.rescore("", r#"[{"hypotheses": ["a cat"]}]"#).json().as_array().unwrap().len(), 1);
    let lines = server.lines("", two);
    let ids: Vec<_> = lines.body.lines().map(read_id).collect();
    assert_eq!(ids, ["request:0", "request:2"]);
}

fn read_id(answer: &str) -> String {
    let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
    answer["utterance"].as_str().unwrap().to_owned()
}
