//! What toolkits write of their results.
//!
//! # Reference
//! ggml-org/whisper.cpp, `examples/cli/cli.cpp` (`output_json`); huggingface/transformers,
//! `pipelines/automatic_speech_recognition.py`; espnet/espnet at v.0.10, `espnet/asr/asr_utils.py` (`add_results_to_json`);
//! NVIDIA/NeMo, `examples/asr/transcribe_speech.py`; modelscope/FunASR, `funasr/auto/auto_model.py`.

use crate::ScoreKind::{Log, Probability};
use crate::shape::{Id, Json, Layout, Mapping, Read, Reference, Score, Text};
use crate::spec::Spec;

pub(super) const WHISPER_CPP: Spec = Spec::Json(&[Json {
    marks: &["transcription[].text"],
    certain: true,
    layout: Layout::DOCUMENTS,
    unfinished: &[],
    read: Read::Mapped(Mapping {
        lists: "",
        hypotheses: "",
        text: Text::Joined("transcription", "text"),
        score: Score::Mean("transcription", "tokens", "p", Probability),
        id: Id::Own,
        reference: Reference::List("reference"),
    }),
}]);

pub(super) const HUGGING_FACE: Spec = Spec::Json(&[Json {
    marks: &["text&chunks[].timestamp"],
    certain: false,
    layout: Layout::DOCUMENTS,
    unfinished: &[],
    read: Read::Mapped(Mapping::ONE_TEXT),
}]);

pub(super) const ESPNET_DATA: Spec = Spec::Json(&[Json {
    marks: &["output[].rec_text"],
    certain: true,
    layout: Layout::inside("utts{}"),
    unfinished: &[],
    read: Read::Mapped(Mapping {
        lists: "",
        hypotheses: "output",
        text: Text::Without("rec_text", "<eos>"),
        score: Score::Field("score", Log),
        id: Id::None,
        reference: Reference::Hypotheses("text"),
    }),
}]);

pub(super) const NEMO_MANIFEST: Spec = Spec::Json(&[Json {
    marks: &["audio_filepath&pred_text"],
    certain: false,
    layout: Layout::LINES,
    unfinished: &[],
    read: Read::Mapped(Mapping {
        text: Text::Field(&["pred_text"]),
        id: Id::Audio("audio_filepath", "offset"),
        reference: Reference::List("text"),
        ..Mapping::ONE_TEXT
    }),
}]);

pub(super) const FUN_ASR: Spec = Spec::Json(&[Json {
    marks: &["key&text"],
    certain: false,
    layout: Layout::DOCUMENTS,
    unfinished: &[],
    read: Read::Mapped(Mapping { id: Id::Field("key"), ..Mapping::ONE_TEXT }),
}]);
