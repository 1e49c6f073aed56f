//! Bad input gets a status and a reason, and the next request works.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::io::Write;
use std::time::Duration;

use common::{Answer, Running, adapters, builder, options, start};
use rescorer_server::{ColdStart, Limits, ServerOptions};
use serde_json::Value;

const LIST: &str = r#"{"id": "u", "hypotheses": ["write it down", "right it down"]}"#;

fn works(server: &Running) {
    let answer = server.rescore("", LIST);
    assert_eq!((answer.status, answer.json()["utterance"].as_str()), (200, Some("u")), "{answer:?}");
}

#[test]
fn what_can_not_be_answered_is_said() {
    let folder = adapters();
    let limits = Limits { body_bytes: 20_000, list_nodes: 200, ..Limits::default() };
    let server = start(
        builder().build().unwrap(),
        ServerOptions { adapters: Some(folder.path().into()), limits, ..options() },
    );
    let large = format!(r#"{{"hypotheses": ["{}"]}}"#, "a ".repeat(20_000));
    let long = format!(r#"{{"hypotheses": ["{}"]}}"#, "word ".repeat(300));
    let cases: [(&str, &str, u16, &str, &str); 18] = [
        ("", "", 400, "request", "empty"),
        ("", "hello", 400, "request", "no JSON"),
        ("", "\u{1f}\u{8b}", 400, "request", "JSON"),
        ("", "{", 422, "list", ""),
        ("", "{\"hypotheses\": []}", 422, "list", "hypotheses"),
        ("", "{\"hypotheses\": [3]}", 422, "list", ""),
        ("", "{\"hypotheses\": [{\"text\": \"a\", \"score\": \"x\"}]}", 422, "list", "score"),
        ("", &large, 413, "request", "20000 bytes"),
        ("", &long, 413, "request", "the limit is 200"),
        ("?adapter=nobody", LIST, 404, "adapter", "nobody"),
        ("?adapter=damaged", LIST, 422, "adapter", "damaged"),
        ("?adapter=../../etc", LIST, 404, "adapter", "etc"),
        ("?adapter=%2e%2e%2fbare", LIST, 404, "adapter", "bare"),
        ("?deadline_ms=soon", LIST, 400, "request", "deadline_ms"),
        ("?deadline_ms=-1", LIST, 400, "request", "deadline_ms"),
        ("?nbest=perhaps", LIST, 400, "request", "nbest"),
        ("?speed=fast", LIST, 400, "request", "speed"),
        ("?adapter=a&adapter=b", LIST, 400, "request", "adapter"),
    ];
    for (query, body, status, kind, part) in cases {
        let answer = server.rescore(query, body);
        let shown = (query, body.chars().take(40).collect::<String>());
        assert_eq!(answer.status, status, "{shown:?}: {answer:?}");
        let error = answer.error();
        assert_eq!(error.0, kind, "{shown:?}: {answer:?}");
        assert!(error.1.contains(part), "{shown:?}: {answer:?}");
        works(&server);
    }
    let json = "Content-Type: application/json";
    let answer = server.send("POST", "/v1/rescore", &[json, "Content-Encoding: gzip"], LIST.as_bytes());
    assert_eq!(answer.status, 415);
    for (method, path, status) in [
        ("GET", "/v1/rescore", 405),
        ("POST", "/v1/nothing", 404),
        ("PUT", "/v1/adapters/nobody", 404),
        ("PUT", "/v1/adapters/..%2f..%2fetc", 400),
        ("PUT", "/v1/adapters/.hidden", 400),
        ("DELETE", "/v1/adapters/nobody", 404),
        ("GET", "/v1/adapters/nobody", 404),
    ] {
        let answer = server.send(method, path, &[], b"");
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert!(!answer.error().1.is_empty());
    }
    // What is no HTTP, and what breaks off.
    let mut stream = server.connect();
    stream.write_all(b"hello\r\n\r\n").unwrap();
    assert_eq!(Answer::read(stream).status, 400);
    let mut stream = server.connect();
    stream.write_all(b"POST /v1/rescore HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\n{\"hyp").unwrap();
    drop(stream);
    works(&server);
}

#[test]
fn a_line_that_is_wrong_fails_alone() {
    let limits = Limits { body_bytes: 1000, ..Limits::default() };
    let server = start(builder().build().unwrap(), ServerOptions { limits, ..options() });
    let body = format!("{LIST}\n{{\"hypotheses\": []}}\nhello\n{LIST}");
    let answer = server.lines("", &body);
    let lines: Vec<Value> = answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4, "{answer:?}");
    for good in [0, 3] {
        assert_eq!(lines[good]["utterance"], "u");
    }
    for (bad, kind) in [(1, "list"), (2, "request")] {
        assert_eq!(
            (lines[bad]["line"].as_u64(), &lines[bad]["error"]["kind"]),
            (Some(bad as u64 + 1), &kind.into())
        );
    }
    // After a line without an end nothing can be told apart.
    let answer = server.lines("", &format!("{LIST}\n{}", "x".repeat(5000)));
    let lines: Vec<Value> = answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[1]["error"]["kind"]), (2, &"request".into()), "{answer:?}");
    works(&server);
}

#[test]
fn bodies_that_take_too_much_together_are_refused() {
    let limits = Limits { buffer_bytes: 1000, ..Limits::default() };
    let server = start(builder().build().unwrap(), ServerOptions { limits, ..options() });
    let mut held = server.connect();
    let head = "POST /v1/rescore HTTP/1.1\r\nHost: t\r\nContent-Length: 2000\r\n\r\n";
    held.write_all(format!("{head}{}", " ".repeat(900)).as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let body = format!("{LIST}{}", " ".repeat(200));
    for answer in [server.rescore("", &body), server.lines("", &body)] {
        let said = if answer.status == 429 {
            answer.json()
        } else {
            answer.body.lines().next().unwrap().parse().unwrap()
        };
        assert_eq!(said["error"]["kind"], "busy", "{answer:?}");
    }
    drop(held);
    std::thread::sleep(Duration::from_millis(300));
    works(&server);
}

#[test]
fn who_has_no_token_is_turned_away() {
    let server =
        start(builder().build().unwrap(), ServerOptions { tokens: vec!["secret".into()], ..options() });
    for header in [&[][..], &["Authorization: Bearer wrong"], &["Authorization: secret"]] {
        let answer = server.send("POST", "/v1/rescore", header, LIST.as_bytes());
        assert_eq!((answer.status, answer.error().0), (401, "token".to_owned()));
        assert!(answer.head.to_ascii_lowercase().contains("www-authenticate: bearer"));
        assert_eq!(server.send("GET", "/metrics", header, b"").status, 401);
    }
    assert_eq!(server.get("/healthz").status, 200);
    let answer = server.send("POST", "/v1/rescore", &["Authorization: Bearer secret"], LIST.as_bytes());
    assert_eq!(answer.status, 200);
}

#[test]
fn nobody_else_is_served_without_a_token() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let open = ServerOptions { listen: "0.0.0.0:0".parse().unwrap(), ..options() };
    let bound = runtime.block_on(rescorer_server::Server::bind(builder().build().unwrap(), open));
    let error = bound.err().unwrap().to_string();
    assert!(error.contains("token"), "{error}");
}

#[test]
fn a_deadline_that_has_passed_gets_the_first_pass() {
    let folder = adapters();
    let server = |cold| {
        let adapters = Some(folder.path().to_owned());
        start(builder().build().unwrap(), ServerOptions { adapters, cold, ..options() })
    };
    let waits = server(ColdStart::Wait);
    let answer = waits.rescore("?deadline_ms=0", LIST).json();
    assert_eq!((&answer["served"], &answer["text"]), (&"first-pass".into(), &"write it down".into()));
    let answer = waits.rescore("?deadline_ms=20000", LIST).json();
    assert_eq!((answer.get("served"), answer["utterance"].as_str()), (None, Some("u")));
    // An adapter that is not loaded: waited for, left out, or not waited for.
    let asked = LIST.replace("\"u\"", "\"u\", \"adapter\": \"bare\"");
    let answer = waits.rescore("?deadline_ms=0", &asked).json();
    assert_eq!((answer["adapter"].as_str(), answer.get("served")), (Some("bare"), None));
    assert_eq!(waits.rescore("?deadline_ms=0", &asked).json()["served"], "first-pass");
    let answer = server(ColdStart::FirstPass).rescore("?deadline_ms=0", &asked).json();
    assert_eq!(answer["served"], "first-pass");
    let base = server(ColdStart::Base);
    assert_eq!(base.rescore("", &asked).json()["adapter"], "bare");
    assert_eq!(base.rescore("?deadline_ms=20000", &asked).json().get("served"), None);
}

#[test]
fn adapters_come_and_go() {
    let folder = adapters();
    let adapters = Some(folder.path().to_owned());
    let server = start(builder().build().unwrap(), ServerOptions { adapters, ..options() });
    let names = |server: &Running| {
        let listed = server.get("/v1/adapters").json();
        listed
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&server), ["bare", "damaged", "medical"]);
    assert_eq!(server.send("DELETE", "/v1/adapters/bare", &[], b"").status, 204);
    assert_eq!(server.rescore("?adapter=bare", LIST).status, 404);
    let new = folder.path().join("new");
    std::fs::rename(folder.path().join("bare"), &new).unwrap();
    assert_eq!(server.send("PUT", "/v1/adapters/new", &[], b"").status, 200);
    assert_eq!(server.rescore("?adapter=new", LIST).json()["adapter"], "new");
    assert_eq!(names(&server), ["damaged", "medical", "new"]);
    assert!(server.get("/v1/adapters/new").json()["resident"].as_bool().unwrap());
    assert_eq!(start(builder().build().unwrap(), options()).get("/v1/adapters").status, 404);
}

#[test]
fn what_was_accepted_is_answered_before_the_end() {
    let mut server = start(builder().build().unwrap(), options());
    let mut stream = server.connect();
    let head =
        "POST /v1/rescore HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nConnection: close\r\n";
    stream.write_all(format!("{head}Content-Length: {}\r\n\r\n", LIST.len()).as_bytes()).unwrap();
    stream.write_all(&LIST.as_bytes()[..10]).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    server.tell_to_stop();
    std::thread::sleep(Duration::from_millis(200));
    stream.write_all(&LIST.as_bytes()[10..]).unwrap();
    let answer = Answer::read(stream);
    assert_eq!((answer.status, answer.json()["utterance"].as_str()), (200, Some("u")));
    server.join();
    assert!(std::net::TcpStream::connect(server.address).is_err());
}

#[test]
fn a_connection_that_was_never_used_does_not_keep_the_server_from_ending() {
    let mut server = start(builder().build().unwrap(), options());
    let _unused = server.connect();
    works(&server);
    let begun = std::time::Instant::now();
    server.tell_to_stop();
    server.join();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn a_client_who_stays_silent_is_hung_up_on() {
    let limits = Limits { read_timeout: Duration::from_millis(300), ..Limits::default() };
    let server = start(builder().build().unwrap(), ServerOptions { limits, ..options() });
    let mut stream = server.connect();
    stream.write_all(b"POST /v1/rescore HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\n{").unwrap();
    assert_eq!(Answer::read(stream).status, 408);
    // Not even a head.
    let mut stream = server.connect();
    stream.write_all(b"POST /v1/resc").unwrap();
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut stream, &mut rest);
    works(&server);
    assert!(server.get("/metrics").body.contains("rescorer_lists_total{served=\"whole\"} 1"));
}

#[test]
fn the_description_names_what_there_is() {
    let folder = adapters();
    let adapters = Some(folder.path().to_owned());
    let server = start(builder().build().unwrap(), ServerOptions { adapters, ..options() });
    let described = server.get("/openapi.json").json();
    let paths = described["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 8);
    for (path, operations) in paths {
        for (method, operation) in
            operations.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters")
        {
            let asked = path.replace("{name}", "medical");
            let headers = ["Content-Type: application/json"];
            let answer = server.send(&method.to_uppercase(), &asked, &headers, LIST.as_bytes());
            let status = answer.status.to_string();
            assert!(operation["responses"].get(&status).is_some(), "{method} {path}: {answer:?}");
            // These want a WebSocket, and a recogniser; they have tests of their own.
            let wants_more = ["/v1/stream", "/v1/audio/transcriptions"].contains(&path.as_str());
            assert!(answer.status < 300 || wants_more, "{method} {path}: {answer:?}");
            // What it forgets comes back for the next one.
            server.send("PUT", "/v1/adapters/medical", &[], b"");
        }
    }
    let kinds =
        described["components"]["schemas"]["Error"]["properties"]["error"]["properties"]["kind"]["enum"]
            .clone();
    for kind in
        ["request", "list", "recording", "adapter", "token", "busy", "stopping", "recogniser", "model"]
    {
        assert!(kinds.as_array().unwrap().contains(&kind.into()), "{kind}");
    }
    let page = server.get("/");
    assert!(page.body.contains("<title>rescorer</title>") && page.head.contains("default-src 'none'"));
}
