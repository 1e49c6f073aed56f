//! Answers lists over HTTP: `cargo run -p rescorer --example server POLICY [ADDRESS]`, and then
//! `curl -d '{"hypotheses": [{"text": "please right it down", "score": -1.2}, {"text": "please write it down", "score": -1.4}]}' 127.0.0.1:8080`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use rescorer::{Error, ErrorKind, Request, Rescorer};
use rescorer_nbest::{ReadOptions, Reader};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let policy = arguments.next().ok_or("give the file of a policy")?;
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let rescorer = Rescorer::builder("smollm2-135m").policy(policy).build()?;
    let app = Router::new().route("/", post(rescore)).with_state(rescorer);
    axum::serve(tokio::net::TcpListener::bind(address).await?, app).await?;
    Ok(())
}

/// The body is a list in any of the JSON formats; the answer is that of `rescorer rescore --json --nbest`.
async fn rescore(State(rescorer): State<Rescorer>, body: String) -> (StatusCode, Json<Value>) {
    // A forward pass is long for a thread that serves others.
    let answered = tokio::task::spawn_blocking(move || answer(&rescorer, body)).await;
    match answered {
        Ok(Ok(answer)) => (StatusCode::OK, Json(answer)),
        Ok(Err(error)) => {
            let status = match error.kind() {
                ErrorKind::List | ErrorKind::Adapter => StatusCode::BAD_REQUEST,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            (status, Json(json!({ "error": error.to_string() })))
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": error.to_string() }))),
    }
}

fn answer(rescorer: &Rescorer, body: String) -> Result<Value, Error> {
    let mut lists = Reader::from_read("request", std::io::Cursor::new(body), &ReadOptions::default())?;
    let empty = || rescorer_nbest::Error::Empty { path: "request".to_owned() };
    let list = lists.next().ok_or_else(empty)??;
    let answer = rescorer.rescore(Request::from(list).with_list())?;
    Ok(serde_json::to_value(answer).unwrap_or_default())
}
