//! Arguments of `serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Arg, Args, ValueEnum};
use rescorer_server::ColdStart;

use crate::args::{ChoiceArgs, NoSeedArgs, ScoringArgs, SearchArgs};
use crate::numbers;
use crate::transcribe_args::RecogniserArgs;

#[derive(Args)]
#[command(after_help = "Examples:
  rescorer serve
  rescorer serve --adapters adapters --policy policy.toml
  rescorer serve --listen 0.0.0.0:8741 --token-file tokens.txt --tls-cert cert.pem --tls-key key.pem
  rescorer serve --transcribe --whisper-model small.en
  curl -s http://127.0.0.1:8741/v1/rescore --json '{\"hypotheses\": [\"a cat\", \"a hat\"]}'

SIGTERM and Ctrl-C stop it: what was accepted is answered, then it ends.",
    mut_arg("context", |context| context.hide(true)),
    mut_arg("history", |history| history.hide(true)),
    mut_arg("json", |json| json.hide(true)),
    mut_arg("search_risk", |risk| risk.long_help(None::<&str>)),
    mut_args(of_the_recogniser))]
pub struct ServeArgs {
    /// Listen on this address
    ///
    /// Anything but a loopback address needs --token-file.
    #[arg(long, default_value = "127.0.0.1:8741", value_name = "ADDRESS", help_heading = "Server")]
    pub listen: SocketAddr,
    /// Encrypt connections with this certificate, in PEM
    ///
    /// The server's own certificate first, then those that lead to one that clients know. The files are read at the start.
    #[arg(long, value_name = "FILE", requires = "tls_key", help_heading = "Server")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "Server")]
    pub tls_key: Option<PathBuf>,
    /// Folder of adapters: each folder in it under its name
    ///
    /// Lists name one in their field `adapter`. It is read when the first list asks for it, and its own policy.toml decides.
    #[arg(long, value_name = "DIR", help_heading = "Server")]
    pub adapters: Option<PathBuf>,
    /// Memory for loaded adapters, in MB
    ///
    /// What was not used for longest is dropped for others.
    #[arg(long, default_value_t = 512, value_name = "MB", value_parser = numbers::at_least_one, help_heading = "Server")]
    pub adapter_memory: usize,
    /// Adapters not loaded in time: wait, base or first-pass
    ///
    /// wait answers with the adapter after the deadline, base as lists that name none are answered, first-pass as the recogniser did.
    #[arg(
        long,
        value_enum,
        default_value_t = Cold::Wait,
        hide_possible_values = true,
        value_name = "KIND",
        help_heading = "Server"
    )]
    pub cold: Cold,
    /// Transcribe recordings too, with the recogniser below
    ///
    /// They go to /v1/audio/transcriptions, as OpenAI's clients send them.
    #[arg(long, help_heading = "Server")]
    pub transcribe: bool,
    /// Serve only who sends a token of this file, one a line
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    pub token_file: Option<PathBuf>,
    /// Trie nodes that may wait for the model
    ///
    /// More lists are answered with status 429 and the seconds to wait. A list of five texts of 15 words has some 60 nodes.
    #[arg(long, default_value_t = 65_536, value_name = "NODES", value_parser = numbers::at_least_one, help_heading = "Server")]
    pub queue: usize,
    /// Largest body, or line of JSON Lines, in MB
    #[arg(long, default_value_t = 8, value_name = "MB", value_parser = numbers::at_least_one, help_heading = "Server")]
    pub body_limit: usize,
    /// Compute lists with different adapters one after the other, to compare
    #[arg(long, hide = true)]
    pub separate_adapters: bool,
    #[command(flatten)]
    pub recogniser: RecogniserArgs,
    #[command(flatten)]
    pub choice: ChoiceArgs,
    #[command(flatten)]
    pub search: SearchArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    #[command(flatten)]
    pub no_seed: NoSeedArgs,
}

/// Options that matter to recordings alone.
fn of_the_recogniser(arg: Arg) -> Arg {
    match arg.get_help_heading() {
        Some("First pass") => arg.requires("transcribe"),
        _ => arg,
    }
}

/// What answers if an adapter is not loaded by the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Cold {
    /// The adapter, after the deadline
    Wait,
    /// What answers lists that name none
    Base,
    /// The recogniser's choice
    FirstPass,
}

impl From<Cold> for ColdStart {
    fn from(cold: Cold) -> Self {
        match cold {
            Cold::Wait => Self::Wait,
            Cold::Base => Self::Base,
            Cold::FirstPass => Self::FirstPass,
        }
    }
}
