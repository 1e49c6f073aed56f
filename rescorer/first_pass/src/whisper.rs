use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rescorer_nbest::Hypothesis;

use crate::process::{HeardText, Message, Process, request};
use crate::{Error, FirstPass, Recognition};

/// The recogniser's part in Python.
const SCRIPT: &str = include_str!("whisper.py");

const NAME: &str = "whisper";

/// What the script imports.
const INSTALL: &str = "-m pip install ctranslate2 faster-whisper";

/// How to run Whisper.
#[derive(Debug, Clone)]
pub struct WhisperOptions {
    /// The interpreter.
    pub python: PathBuf,
    /// A folder with a model that was converted for CTranslate2, or a name that faster-whisper knows, which it fetches.
    pub model: String,
    /// A language's code; none lets a multilingual model find out by itself, for every stretch.
    pub language: Option<String>,
    /// Hypotheses of a list, which is also the width of the beam.
    pub nbest: usize,
    /// Threads, 0 for all cores.
    pub threads: usize,
    /// Whether a named model must be there already.
    pub offline: bool,
    /// How long an answer may take, and the start, fetching the model included.
    pub timeout: Duration,
}

impl Default for WhisperOptions {
    fn default() -> Self {
        Self {
            python: "python3".into(),
            model: "tiny.en".into(),
            language: None,
            nbest: 20,
            threads: 0,
            offline: false,
            timeout: Duration::from_secs(600),
        }
    }
}

/// Whisper in a Python process with CTranslate2, which is started once. Scores are mean log-probabilities of a token.
///
/// The script comes with this crate (`whisper.py`, which states what it reads and writes); it needs the packages
/// `ctranslate2` and `faster-whisper`. A stretch that Whisper takes for silence, by the rule of its own decoder, has no
/// hypotheses.
pub struct Whisper {
    name: String,
    process: Process,
    asked: u64,
}

impl Whisper {
    /// Starts the process and waits until the model is loaded.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: no interpreter, packages or model; [`Error::Broken`].
    pub fn start(options: &WhisperOptions) -> Result<Self, Error> {
        let python = options.python.display();
        let remedy = "install Python 3, name an interpreter, or take the first pass pocketsphinx";
        let mut command = Command::new(&options.python);
        command.arg("-c").arg(SCRIPT).arg(&options.model);
        command.arg(options.nbest.max(1).to_string()).arg(options.threads.to_string());
        command.arg(options.language.as_deref().unwrap_or("auto"));
        command.arg(if options.offline { "1" } else { "0" });
        let mut process = Process::start(NAME, command, options.timeout, remedy)?;
        let unavailable = |reason| Error::Unavailable { first_pass: NAME, reason };
        match process.receive()? {
            Message::Ready(ready) => {
                Ok(Self { name: format!("{NAME} ({})", ready.model), process, asked: 0 })
            }
            Message::Missing(missing) => Err(unavailable(format!(
                "{python} lacks the package {} ({}); run `{python} {INSTALL}`, name an interpreter that has it, \
                 or take the first pass pocketsphinx",
                missing.package, missing.reason
            ))),
            Message::Fatal(reason) => Err(unavailable(format!(
                "its model {} can't be loaded ({reason}); name a folder with a model that was converted for CTranslate2, or \
                 a model such as tiny.en, which is fetched from the network once",
                options.model
            ))),
            other => Err(process.nonsense(&format!("{} at the start", other.kind()))),
        }
    }
}

impl FirstPass for Whisper {
    fn name(&self) -> &str {
        &self.name
    }

    fn max_seconds(&self) -> f64 {
        30.0
    }

    fn recognize(&mut self, samples: &[f32]) -> Result<Recognition, Error> {
        self.asked += 1;
        self.process.send(request(self.asked, samples));
        match self.process.receive()? {
            Message::Heard(heard) if heard.number == self.asked => {
                let hypothesis = |heard: HeardText| Hypothesis {
                    text: heard.text,
                    score: Some(heard.score),
                    extra: heard.extra,
                };
                Ok(Recognition {
                    hypotheses: heard.hypotheses.into_iter().map(hypothesis).collect(),
                    extra: heard.extra,
                })
            }
            Message::Refused(refused) if refused.number == self.asked => {
                Err(Error::Refused { first_pass: NAME, reason: refused.reason })
            }
            other => {
                let what = format!("{} to request {}", other.kind(), self.asked);
                Err(self.process.nonsense(&what))
            }
        }
    }
}
