//! The recogniser of recordings, on a thread of its own.

use std::sync::mpsc;
use std::time::Duration;

use axum::http::StatusCode;
use rescorer_first_pass::{Error, FirstPass, FirstPassKind, FirstPassOptions, Piece, Speech, transcribe};
use tokio::sync::mpsc as answers;
use tracing::warn;

use crate::error::{ApiError, ServerError};

/// When to come again if too many recordings wait.
pub const SOON: Duration = Duration::from_secs(5);

/// What recognises recordings.
#[derive(Debug, Clone)]
pub struct RecogniserOptions {
    /// The recogniser.
    pub kind: FirstPassKind,
    /// What it has to know.
    pub options: FirstPassOptions,
    /// The longest piece of a recording, in seconds; longer ones are cut where it is quiet.
    pub max_segment: f64,
}

/// Takes recordings, one after the other.
pub struct Recogniser {
    jobs: mpsc::Sender<Job>,
    /// The language that it was started with.
    pub language: Option<String>,
}

struct Job {
    speech: Speech,
    pieces: answers::UnboundedSender<Result<Piece, Error>>,
}

impl Recogniser {
    /// Starts the thread, and waits until the recogniser is ready.
    ///
    /// # Errors
    /// [`ServerError::Recogniser`] with what is missing.
    pub fn start(options: RecogniserOptions) -> Result<Self, ServerError> {
        let (jobs, received) = mpsc::channel::<Job>();
        let (ready, opened) = mpsc::channel();
        let language = options.options.whisper.language.clone();
        std::thread::Builder::new().name("recogniser".into()).spawn(move || {
            // A recogniser need not be able to go to another thread, so this one opens it.
            match options.kind.open(&options.options) {
                Ok(first_pass) => {
                    let _ = ready.send(Ok(()));
                    run(&options, first_pass, &received);
                }
                Err(error) => _ = ready.send(Err(error)),
            }
        })?;
        match opened.recv() {
            Ok(opened) => opened?,
            Err(_) => return Err(std::io::Error::other("the recogniser's thread has ended").into()),
        }
        Ok(Self { jobs, language })
    }

    /// The pieces of a recording, as they are recognised. An error is the last.
    pub fn recognise(&self, speech: Speech) -> answers::UnboundedReceiver<Result<Piece, Error>> {
        let (pieces, received) = answers::unbounded_channel();
        // Where the thread has ended nothing comes.
        let _ = self.jobs.send(Job { speech, pieces });
        received
    }
}

/// Recognises until nobody can ask any more.
fn run(options: &RecogniserOptions, first_pass: Box<dyn FirstPass>, jobs: &mpsc::Receiver<Job>) {
    let mut first_pass = Some(first_pass);
    for Job { speech, pieces } in jobs {
        // One that broke down is started again for the next recording.
        let mut works = match first_pass.take().map_or_else(|| options.kind.open(&options.options), Ok) {
            Ok(works) => works,
            Err(error) => {
                let _ = pieces.send(Err(error));
                continue;
            }
        };
        let mut is_broken = false;
        for piece in transcribe(works.as_mut(), &speech, options.max_segment) {
            let has_failed = piece.is_err();
            if let Err(error) = &piece {
                is_broken = !error.is_recoverable();
                warn!("{error}");
            }
            // Whoever asked may be gone.
            if pieces.send(piece).is_err() || has_failed {
                break;
            }
        }
        first_pass = (!is_broken).then_some(works);
    }
}

/// What failed in a recording, or in the recogniser.
pub fn failed(error: &Error) -> ApiError {
    match error {
        Error::TooLong { .. } => ApiError::too_large(error.to_string()),
        _ if error.is_recoverable() => {
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "recording", error.to_string())
        }
        _ => ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "recogniser", error.to_string()),
    }
}
