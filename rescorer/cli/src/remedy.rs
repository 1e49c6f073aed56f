//! What helps, in the words of the command line.

use rescorer::{Error, Remedy};

/// An error with the flag that helps, where there is one.
pub fn told(error: &anyhow::Error) -> String {
    let message = message(error);
    let found = error.chain().find_map(|cause| {
        let lists = || Remedy::of_lists(cause.downcast_ref()?);
        let recordings = || {
            cause
                .downcast_ref::<rescorer_first_pass::Error>()?
                .is_recoverable()
                .then_some(Remedy::SkipInvalid)
        };
        cause.downcast_ref::<Error>().and_then(Error::remedy).or_else(lists).or_else(recordings)
    });
    if let Some(rescorer_first_pass::Error::Unavailable { .. }) =
        error.chain().find_map(|cause| cause.downcast_ref())
    {
        return format!(
            "{message} (--first-pass NAME, --python PATH, --whisper-model NAME, --pocketsphinx-models DIR)"
        );
    }
    match found {
        Some(remedy) => with(message, remedy),
        None => message,
    }
}

/// A message of the library with the flag that helps.
pub fn with(message: impl Into<String>, remedy: Remedy) -> String {
    let message = message.into();
    let flag = match remedy {
        Remedy::SkipInvalid if message.contains("--skip-invalid") => return message,
        Remedy::SkipInvalid => return format!("{message}, or pass --skip-invalid"),
        Remedy::Cpu => "--device cpu",
        Remedy::Precision => "--precision auto",
        Remedy::Bos => "--bos ID",
        Remedy::NoEos => "--no-eos",
        Remedy::Eos => "leave out --no-eos",
        Remedy::EncoderScore => "--encoder-score",
        Remedy::Sum => "leave out --score-mean",
        Remedy::Adapter => "--adapter NAME=DIR",
        Remedy::FirstStage => "--cascade-model NAME, --cascade-adapter DIR",
        Remedy::FirstStageAdapter => "--cascade-adapter DIR",
        Remedy::Policy => "--policy FILE",
        Remedy::Maximum => "--decision maximum",
        Remedy::Unit => "--unit UNIT",
        Remedy::Folds => "--cross-validate K",
        Remedy::Format => "--input-format NAME",
        Remedy::Columns => "--columns FIELD=NAME",
        Remedy::Restart => "--restart",
        _ => return message,
    };
    format!("{message} ({flag})")
}

/// The error and its causes, each reason once: many of our messages hold that of their cause.
fn message(error: &anyhow::Error) -> String {
    let message = error.chain().skip(1).fold(error.to_string(), |message, cause| {
        let cause = cause.to_string();
        if message.contains(&cause) { message } else { format!("{message}: {cause}") }
    });
    message.trim_end().to_owned()
}
