//! The hub, played by a server on this machine.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::thread;
use std::time::Instant;

use super::super::pull::tests::{tiny_file, tiny_model};
use super::*;
use crate::named::{Layout, catalog};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Answers `HEAD` with this tag and `GET` with this body, once each, at the address that it gives; then it hands over the paths
/// that it was asked for.
fn serve(tag: &str, body: &'static str) -> Outcome<(String, thread::JoinHandle<Vec<String>>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}/", listener.local_addr()?);
    let tag = tag.to_owned();
    let answer = move || {
        let mut asked = Vec::new();
        for stream in listener.incoming().take(2) {
            let mut stream = stream.expect("a connection");
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let lines: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let first = lines.first().cloned().unwrap_or_default();
            let body = if first.starts_with("HEAD") { "" } else { body };
            let head = format!(
                "HTTP/1.1 200 OK\r\nX-Linked-Etag: {tag}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(head.as_bytes()).expect("the client reads");
            asked.push(first);
        }
        asked
    };
    Ok((address, thread::spawn(answer)))
}

/// What the hub at this address gives for a file that holds `weights`.
fn fetched(address: &str) -> Outcome<Result<Vec<u8>, NamedError>> {
    let (folder, model) = (tempfile::tempdir()?, tiny_model(b"weights"));
    let hub = Hub::of(&model, address).expect("the file has a place on the hub");
    let mut last = None;
    let done = hub.fetch(&model, folder.path(), &mut |news| last = Some(format!("{news:?}")));
    Ok(done.map(|()| {
        assert!(last.is_some_and(|news| news.contains("done: 7")));
        fs::read(folder.path().join(model.files()[0].file)).expect("was written")
    }))
}

#[test]
fn the_hub_is_asked_only_for_a_model_of_which_it_has_every_file() {
    let (first, other) = (catalog()[0].files()[0], catalog()[1].files()[0]);
    assert!(first.hub.is_some() && other.hub.is_none());
    let with = |files: &[ModelFile]| {
        let files = files.to_vec().leak();
        NamedModel { layout: Layout::Folder { name: "folder", files }, ..catalog()[0] }
    };
    let names = |hub: Hub<'_>| hub.files.iter().map(|(file, _)| file.file).collect::<Vec<_>>();
    assert_eq!(Hub::of(&with(&[first, first]), "").map(names), Some(vec![first.file; 2]));
    assert!(Hub::of(&with(&[first, other]), "").is_none());
}

#[test]
fn a_file_comes_from_its_revision() -> Outcome {
    let sum = tiny_file("", b"weights").sha256;
    let (address, server) = serve(&format!("\"{sum}\""), "weights")?;
    assert_eq!(fetched(&address)??, b"weights");
    let path = "/someone/tiny/resolve/0123456789/hub-tiny.gguf HTTP/1.1";
    let asked = server.join().map_err(|_| "the server panicked")?;
    assert_eq!(asked, [format!("HEAD {path}"), format!("GET {path}")]);
    Ok(())
}

#[test]
fn a_file_that_is_announced_with_another_sum_is_not_fetched() -> Outcome {
    let sum = tiny_file("", b"WEIGHTS").sha256;
    let (address, _server) = serve(&format!("\"{sum}\""), "WEIGHTS")?;
    let message = fetched(&address)?.expect_err("another sum").to_string();
    for part in [sum, tiny_file("", b"weights").sha256, "someone/tiny", "not fetched"] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    Ok(())
}

#[test]
fn more_than_the_catalogue_says_is_not_read() -> Outcome {
    let (address, _server) = serve("\"no sum\"", "weights and much more than that")?;
    let error = fetched(&address)?.expect_err("too long");
    assert!(matches!(error, NamedError::Size { expected: 7, found: 8, .. }), "{error}");
    Ok(())
}

#[test]
fn a_hub_that_cannot_be_reached_fails_at_once_and_in_one_line() -> Outcome {
    // Bound and dropped: nobody listens there.
    let address = format!("http://{}", TcpListener::bind("127.0.0.1:0")?.local_addr()?);
    let begin = Instant::now();
    let message = fetched(&address)?.expect_err("nobody there").to_string();
    assert!(message.contains(&address) && message.lines().count() == 1, "{message}");
    assert!(begin.elapsed() < 2 * PATIENCE, "{:?}", begin.elapsed());
    Ok(())
}
