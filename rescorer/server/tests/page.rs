//! The page at `/`, in Chromium without a window; skipped where there is none.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::socket::Client;
use common::{Answer, Running, adapters, builder, options, start};
use rescorer_server::ServerOptions;
use serde_json::{Value, json};
use tempfile::TempDir;

const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// For what should come at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser with one page, told what to do over the DevTools protocol.
struct Browser {
    process: Child,
    page: Client,
    sent: u64,
    /// What it says of its own accord.
    events: Vec<Value>,
    _profile: TempDir,
}

impl Browser {
    /// Starts it, if there is one.
    fn start() -> Option<Self> {
        let profile = tempfile::tempdir().unwrap();
        let mut process = NAMES.iter().find_map(|name| {
            let mut command = Command::new(name);
            // CI runs as root in a container, where Chromium's sandbox can't be set up.
            command.args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
            ]);
            command.args(["--disable-background-networking", "--remote-debugging-port=0"]);
            command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().ok()
        })?;
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let listens = |line: String| Some(line.split_once("DevTools listening on ws://")?.1.to_owned());
        let address = lines.find_map(|line| listens(line.unwrap())).expect("no address of DevTools");
        let (host, _) = address.split_once('/').unwrap();
        // Otherwise it would wait for somebody to read what it says.
        std::thread::spawn(move || lines.for_each(drop));
        let connect = |patience| {
            let stream = TcpStream::connect(host).unwrap();
            stream.set_read_timeout(Some(patience)).unwrap();
            stream
        };
        let page = waited_for("a page", || {
            // After its answer it leaves the connection open.
            let mut stream = connect(Duration::from_secs(2));
            write!(stream, "GET /json/list HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                .unwrap();
            let pages = Answer::read(stream).json();
            let page = pages.as_array()?.iter().find(|page| page["type"] == "page")?;
            Some(format!("/devtools/page/{}", page["id"].as_str()?))
        });
        let page = Client::connect(connect(PATIENCE), &page, &[]).unwrap();
        let mut browser = Self { process, page, sent: 0, events: Vec::new(), _profile: profile };
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.ask(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.sent += 1;
        self.page.send(&json!({ "id": self.sent, "method": method, "params": params }).to_string());
        loop {
            let mut said: Value = serde_json::from_str(&self.page.text()).unwrap();
            if said["id"] == self.sent {
                assert!(said.get("error").is_none(), "{method}: {said}");
                return said["result"].take();
            }
            self.events.push(said);
        }
    }

    /// The value of an expression of JavaScript.
    fn value(&mut self, expression: &str) -> Value {
        let mut result =
            self.ask("Runtime.evaluate", json!({ "expression": expression, "returnByValue": true }));
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {result}");
        result["result"]["value"].take()
    }

    fn open(&mut self, url: &str) {
        self.ask("Page.navigate", json!({ "url": url }));
        waited_for("the page", || {
            let state = self.value("document.readyState + location.href");
            (state == format!("complete{url}")).then_some(())
        });
    }

    /// Fills in fields, presses the button, and waits for an answer or an error: the heading, the error, and the rows of the table.
    fn rescore(&mut self, fields: &[(&str, &str)]) -> (String, String, usize) {
        for (id, text) in fields {
            self.value(&format!("document.getElementById({id:?}).value = {}", json!(text)));
        }
        self.value("document.querySelector('button').click()");
        waited_for("an answer", || {
            let found = self.value(
                "[document.querySelector('#answer h2')?.textContent ?? '', document.getElementById('error').textContent,
                  document.querySelectorAll('#answer tr').length]",
            );
            let text = |at: usize| found[at].as_str().unwrap().to_owned();
            let (title, error) = (text(0), text(1));
            (!title.is_empty() || !error.is_empty())
                .then(|| (title, error, found[2].as_u64().unwrap() as usize))
        })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn waited_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn url(server: &Running) -> String {
    format!("http://{}/", server.address)
}

#[test]
fn a_list_is_pasted_and_answered() {
    let Some(mut browser) = Browser::start() else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: none of {NAMES:?} is installed");
        return;
    };
    let folder = adapters();
    let served = ServerOptions { adapters: Some(folder.path().into()), ..options() };
    let server = start(builder().build().unwrap(), served);
    browser.open(&url(&server));
    let shown = browser.value("document.getElementById('list').value");
    let expected = server.rescore("", shown.as_str().unwrap()).json()["text"].clone();
    // The example, lines of text, and what is no list; each takes the place of what was shown before.
    let (title, error, rows) = browser.rescore(&[]);
    assert_eq!((json!(title), error.as_str(), rows), (expected, "", 3));
    let (title, error, rows) = browser.rescore(&[("list", "write it <b>down</b>\n\nright it <b>down</b>\n")]);
    assert_eq!((error.as_str(), rows), ("", 3));
    assert!(title.contains("<b>down</b>"), "{title}");
    let (title, error, rows) = browser.rescore(&[("list", "{\"hypotheses\": []}")]);
    assert_eq!((title.as_str(), rows), ("", 0));
    assert!(error.contains("hypotheses"), "{error}");
    let (_, error, _) = browser.rescore(&[("list", "a cat\na hat"), ("adapter", "nobody")]);
    assert!(error.contains("nobody"), "{error}");
    assert_eq!(browser.rescore(&[("adapter", "medical")]).2, 3);

    let guarded =
        start(builder().build().unwrap(), ServerOptions { tokens: vec!["secret".into()], ..options() });
    browser.open(&url(&guarded));
    let (_, error, _) = browser.rescore(&[]);
    assert!(error.contains("no valid token"), "{error}");
    assert_eq!(browser.rescore(&[("token", "secret")]).2, 3);

    // It asked nobody but the servers, and its policy and its script broke nowhere.
    let asked: Vec<&str> = browser
        .events
        .iter()
        .filter(|event| event["method"] == "Network.requestWillBeSent")
        .map(|event| event["params"]["request"]["url"].as_str().unwrap())
        .collect();
    assert!(asked.len() >= 8, "{asked:?}");
    for one in &asked {
        assert!(one.starts_with(&url(&server)) || one.starts_with(&url(&guarded)), "{one}");
    }
    for event in &browser.events {
        assert_ne!(event["method"], "Runtime.exceptionThrown", "{event}");
        // What the server refused is logged by the browser; all else would be the page's fault.
        let entry = &event["params"]["entry"];
        assert!(event["method"] != "Log.entryAdded" || entry["source"] == "network", "{event}");
    }
}
