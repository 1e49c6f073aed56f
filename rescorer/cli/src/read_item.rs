/// What a reader of lists yields.
pub type ReadItem = Result<rescorer::Utterance, rescorer::Error>;
