//! Lists over a WebSocket.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::time::{Duration, Instant};

use common::socket::Client;
use common::{Running, adapters, builder, options, start};
use rescorer_server::{Limits, ServerOptions};
use serde_json::Value;

const LIST: &str = r#"{"id": "u", "hypotheses": ["write it down", "right it down"]}"#;

/// The kind of the error in a text, and the line that it names.
fn error(text: &str) -> (String, u64) {
    let said: Value = serde_json::from_str(text).unwrap();
    (said["error"]["kind"].as_str().unwrap().to_owned(), said["line"].as_u64().unwrap())
}

#[test]
fn a_stream_is_answered_as_a_request_is() {
    let folder = adapters();
    let adapters = Some(folder.path().to_owned());
    let server = start(builder().build().unwrap(), ServerOptions { adapters, ..options() });
    for query in ["", "?adapter=medical", "?adapter=medical&nbest=true"] {
        let mut stream = Client::open(&server, query, &[]).unwrap();
        let lists: Vec<String> =
            (0..50).map(|number| LIST.replace("\"u\"", &format!("\"u{number}\""))).collect();
        let partial = |number: usize| format!("{{\"partial\" : \"write {number}\"}}");
        for (number, list) in lists.iter().enumerate() {
            stream.send(&partial(number));
            stream.send(list);
        }
        stream.send(r#"{"eof" : 1}"#);
        for (number, list) in lists.iter().enumerate() {
            assert_eq!(stream.text(), partial(number));
            let (found, expected) = (stream.text(), server.rescore(query, list).body);
            // Scores of a batch may differ in their last digits.
            match query.contains("nbest") {
                false => assert_eq!(found, expected),
                true => {
                    let [found, expected] =
                        [&found, &expected].map(|text| serde_json::from_str::<Value>(text).unwrap());
                    assert_eq!(found["text"], expected["text"]);
                    assert_eq!(found["hypotheses"].as_array().unwrap().len(), 2);
                }
            }
        }
        assert_eq!(stream.end().0, 1000);
    }
}

#[test]
fn messages_of_vosk_are_read() {
    let server = start(builder().build().unwrap(), options());
    let mut stream = Client::open(&server, "", &[]).unwrap();
    stream.send(r#"{"partial" : ""}"#);
    assert_eq!(stream.text(), r#"{"partial" : ""}"#);
    stream.send(r#"{"alternatives" : [{"confidence" : 270.5, "text" : "write it"}, {"confidence" : 270.0, "text" : "right it"}]}"#);
    let answer: Value = serde_json::from_str(&stream.text()).unwrap();
    assert_eq!(
        (&answer["utterance"], &answer["policy"]),
        (&"request:1".into(), &"default, version 2".into())
    );
    // Where nothing was said.
    stream.send(r#"{"alternatives" : [{"text": "", "confidence" : 1.0}]}"#);
    assert_eq!(serde_json::from_str::<Value>(&stream.text()).unwrap()["text"], "");
}

#[test]
fn a_message_that_is_wrong_fails_alone() {
    let limits = Limits { message_bytes: 1000, list_nodes: 100, ..Limits::default() };
    let server = start(builder().build().unwrap(), ServerOptions { limits, ..options() });
    let mut stream = Client::open(&server, "", &[]).unwrap();
    let long = format!(r#"{{"hypotheses": ["{}"]}}"#, "word ".repeat(150));
    for (number, (wrong, kind)) in [
        ("hello", "request"),
        ("{", "list"),
        (r#"{"hypotheses": []}"#, "list"),
        (r#"[{"hypotheses": ["a"]}, {"hypotheses": ["b"]}]"#, "request"),
        (r#"{"config": {"sample_rate": 16000}}"#, "list"),
        (&long, "request"),
    ]
    .into_iter()
    .enumerate()
    {
        stream.send(wrong);
        assert_eq!(error(&stream.text()), (kind.to_owned(), number as u64 + 1), "{wrong}");
    }
    stream.send_bytes(&[0; 100]);
    assert_eq!(error(&stream.text()).0, "request");
    stream.send(LIST);
    assert!(stream.text().contains("\"utterance\":\"u\""));
    // Where a message ends that is too large, is not looked for.
    stream.send(&format!("{LIST}{}", " ".repeat(1000)));
    let (code, reason) = stream.end();
    assert_eq!((code, reason.contains("1000 bytes")), (1009, true), "{reason}");
    assert_eq!(server.rescore("", LIST).status, 200);
}

#[test]
fn what_is_no_stream_is_refused() {
    let tokens = vec!["secret".to_owned()];
    let server = start(builder().build().unwrap(), ServerOptions { tokens, ..options() });
    let status = |query: &str, headers: &[&str]| {
        Client::open(&server, query, headers).err().map(|answer| answer.status)
    };
    let token = "Authorization: Bearer secret";
    assert_eq!(status("", &["Connection: close"]), Some(401));
    assert_eq!(status("?speed=fast", &[token, "Connection: close"]), Some(400));
    assert_eq!(status("", &[token]), None);
    let answer = server.send("GET", "/v1/stream", &[token], b"");
    assert_eq!((answer.status, answer.error().0.as_str()), (426, "request"));
    assert!(answer.head.to_ascii_lowercase().contains("upgrade: websocket"));
}

#[test]
fn a_stream_counts_as_a_connection_until_its_end() {
    let limits = Limits { connections: 1, read_timeout: Duration::from_millis(300), ..Limits::default() };
    let server = start(builder().build().unwrap(), ServerOptions { limits, ..options() });
    let mut stream = Client::open(&server, "", &[]).unwrap();
    // The next one waits for its place. Meanwhile the stream is idle, and its client answers pings.
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| server.get("/metrics"));
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(2) {
            stream.send(r#"{"partial": "a"}"#);
            stream.text();
            std::thread::sleep(Duration::from_millis(100));
        }
        assert!(!waiting.is_finished());
        stream.send(r#"{"eof": 1}"#);
        assert_eq!(stream.end().0, 1000);
        drop(stream);
        assert!(waiting.join().unwrap().body.contains("rescorer_connections 1"));
    });
}

#[test]
fn who_is_gone_is_found_out_and_who_is_silent_may_stay() {
    let limits = Limits { read_timeout: Duration::from_millis(300), ..Limits::default() };
    let mut server = start(builder().build().unwrap(), ServerOptions { limits, ..options() });
    let mut silent = Client::open(&server, "", &[]).unwrap();
    let _gone = Client::open(&server, "", &[]).unwrap();
    let connections = |server: &Running| {
        let text = server.get("/metrics").body;
        let line = text.lines().find(|line| line.starts_with("rescorer_connections ")).unwrap().to_owned();
        line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()
    };
    assert_eq!(connections(&server), 3);
    // One reads, and so answers pings; of the other nothing is heard.
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| silent.next());
        std::thread::sleep(Duration::from_millis(1500));
        let left = connections(&server);
        server.tell_to_stop();
        // It is told that the server stops.
        let frame = reader.join().unwrap().unwrap_err().unwrap();
        assert_eq!((u16::from(frame.code), left), (1001, 2));
    });
}

#[test]
fn what_was_accepted_is_answered_before_the_end() {
    let mut server = start(builder().build().unwrap(), options());
    let mut stream = Client::open(&server, "", &[]).unwrap();
    (0..20).for_each(|_| stream.send(LIST));
    // So that all were taken.
    assert!(stream.text().contains("\"utterance\":\"u\""));
    server.tell_to_stop();
    let frame = loop {
        match stream.next() {
            Ok(text) => assert!(text.contains("\"utterance\":\"u\""), "{text}"),
            Err(frame) => break frame.unwrap(),
        }
    };
    assert_eq!(u16::from(frame.code), 1001);
    drop(stream);
    server.join();
}
