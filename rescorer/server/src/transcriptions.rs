//! `POST /v1/audio/transcriptions`: recordings to text, by a recogniser and the second pass.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, TryStreamExt, stream};
use rescorer::Answer;
use rescorer_first_pass::{Piece, Speech};
use serde_json::{Value, json};

use crate::app::App;
use crate::error::ApiError;
use crate::form::{Form, ResponseFormat};
use crate::multipart;
use crate::query::Asked;
use crate::recogniser::{self, Recogniser};
use crate::rescore;
use crate::served::Served;

/// Bytes of a body for a second of its recording, at least: 8 kHz in 16 bits. It bounds what a recording takes once it is unpacked.
const BYTES_A_SECOND: f64 = 16_000.0;

/// A piece of a recording with its answer.
struct Answered {
    piece: Segment,
    answer: Answer,
    served: Served,
}

/// What is known of a piece beside its list.
struct Segment {
    start: f64,
    end: f64,
    language: Option<String>,
}

/// Answers a form with a recording.
pub async fn post(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let Some(recogniser) = &app.recogniser else {
        let message = "the server was started without a recogniser; start it with --transcribe, or send lists to POST /v1/rescore";
        return Err(ApiError::new(StatusCode::NOT_IMPLEMENTED, "recogniser", message));
    };
    let asked = Asked::of(&uri)?;
    if asked.nbest {
        return Err(ApiError::bad_request("a transcription has no lists; leave out nbest=true"));
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let boundary = multipart::boundary(kind).ok_or_else(|| {
        let message = "the body is no form; send multipart/form-data, as curl -F does";
        ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "request", message)
    })?;
    // So many recordings are in memory at a time.
    let _place = app.recordings.try_acquire().map_err(|_| {
        let message =
            "too many recordings wait for the recogniser; come again after the seconds in Retry-After";
        ApiError { message: message.into(), ..ApiError::busy(recogniser::SOON) }
    })?;
    let body = rescore::whole(&app, body).await?;
    let form = Form::read(&body, &boundary)?;
    check_language(&form, recogniser)?;
    let Form { file, name, format, prompt, .. } = form;
    let most = app.limits.body_bytes as f64 / BYTES_A_SECOND;
    let read = tokio::task::spawn_blocking(move || Speech::from_reader(&file[..], &name, most)).await;
    let speech = read.map_err(|_| ApiError::stopping())?.map_err(|error| recogniser::failed(&error))?;
    let seconds = speech.seconds();
    let answered = pieces(&app, &asked, prompt, recogniser, speech).await?;
    Ok(written(format, &answered, seconds))
}

fn check_language(form: &Form, recogniser: &Recogniser) -> Result<(), ApiError> {
    match &form.language {
        Some(language) if recogniser.language.as_ref() != Some(language) => {
            Err(ApiError::bad_request(format!(
                "field \"language\": the recogniser was not started for {language:?}; leave it out, or start the server with --language"
            )))
        }
        _ => Ok(()),
    }
}

/// Recognises and answers: while the recogniser has one piece, the model has those before it.
async fn pieces(
    app: &App,
    asked: &Asked,
    prompt: Option<String>,
    recogniser: &Recogniser,
    speech: Speech,
) -> Result<Vec<Answered>, ApiError> {
    let received = recogniser.recognise(speech);
    let pieces = stream::unfold(received, |mut received| async {
        received.recv().await.map(|piece| (piece, received))
    });
    let answers = pieces.map(|piece| {
        let prompt = prompt.clone();
        async move {
            let Piece { mut utterance, seconds, .. } = piece.map_err(|error| recogniser::failed(&error))?;
            utterance.context = utterance.context.or(prompt);
            let language = utterance.extra.get("language").and_then(Value::as_str).map(str::to_owned);
            let (answer, served) = rescore::answer(app, asked, utterance).await?;
            Ok::<_, ApiError>(Answered {
                piece: Segment { start: seconds.start, end: seconds.end, language },
                answer,
                served,
            })
        }
    });
    let answered: Vec<Answered> = answers.buffered(app.limits.request_lists).try_collect().await?;
    match answered.is_empty() {
        true => Err(ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "recogniser",
            "the recogniser has ended; start the server again",
        )),
        false => Ok(answered),
    }
}

/// The texts of the pieces, one after the other.
fn text(answered: &[Answered]) -> String {
    let texts = answered.iter().map(|one| one.answer.text().trim()).filter(|text| !text.is_empty());
    texts.collect::<Vec<_>>().join(" ")
}

fn written(format: ResponseFormat, answered: &[Answered], seconds: f64) -> Response {
    let text = text(answered);
    match format {
        ResponseFormat::Json => Json(json!({ "text": text })).into_response(),
        ResponseFormat::Text => {
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{text}\n")).into_response()
        }
        ResponseFormat::Verbose => {
            let segments: Vec<Value> =
                answered.iter().enumerate().map(|(id, one)| segment(id, one)).collect();
            let mut whole =
                json!({ "task": "transcribe", "duration": seconds, "text": text, "segments": segments });
            let language = answered.iter().find_map(|one| one.piece.language.clone());
            if let (Some(language), Some(whole)) = (language, whole.as_object_mut()) {
                whole.insert("language".into(), language.into());
            }
            Json(whole).into_response()
        }
    }
}

fn segment(id: usize, one: &Answered) -> Value {
    let Answered { piece, answer, served } = one;
    let first_pass = answer.utterance().nbest.first().text.as_str();
    let mut value = json!({
        "id": id,
        "start": piece.start,
        "end": piece.end,
        "text": answer.text(),
        "first_pass_text": first_pass,
        "changed": answer.changed(),
    });
    served.mark(&mut value);
    value
}
