//! The answers of cloud services. To add one: its `Spec`, a line in `formats.rs`, a sample in `tests/shapes.rs` and a row in
//! `docs/formats.md`.
//!
//! # Reference
//! The services' documentation of their REST interfaces and of their SDKs' JSON: Deepgram "Pre-recorded" and "Live audio",
//! Google Cloud Speech-to-Text `RecognizeResponse`, Amazon Transcribe "Output" and "Streaming", Azure "Get speech recognition
//! results", "Batch" and "Fast transcription", OpenAI "Create transcription", AssemblyAI "Transcript", Rev AI "Transcript".

use crate::ScoreKind::{Log, Probability};
use crate::shape::{Id, Json, Layout, Mapping, Read, Reference, Score, Test, Text, Unfinished};
use crate::spec::Spec;

/// A mapping of a list with its own id and reference.
const fn mapping(hypotheses: &'static str, text: Text, score: Score) -> Mapping {
    Mapping { lists: "", hypotheses, text, score, id: Id::Own, reference: Reference::List("reference") }
}

const TRANSCRIPT: Text = Text::Field(&["transcript"]);

pub(super) const DEEPGRAM: Spec = Spec::Json(&[
    Json {
        marks: &["results.channels[].alternatives[].transcript"],
        certain: true,
        layout: Layout::DOCUMENTS,
        unfinished: &[],
        read: Read::Mapped(Mapping {
            lists: "results.channels",
            ..mapping("alternatives", TRANSCRIPT, Score::Known)
        }),
    },
    Json {
        marks: &["channel.alternatives[].transcript"],
        certain: true,
        layout: Layout::DOCUMENTS,
        unfinished: &[
            Unfinished::Partial("is_final", Test::Is(false)),
            Unfinished::Silent("type", Test::NotText("Results")),
        ],
        read: Read::Mapped(mapping("channel.alternatives", TRANSCRIPT, Score::Known)),
    },
]);

/// One of Google's results. Their messages leave out what is false, so `stability` without `isFinal` is a partial one.
const fn google(layout: Layout) -> Json {
    Json {
        marks: &["alternatives[].transcript"],
        certain: true,
        layout,
        unfinished: &[
            Unfinished::Partial("isFinal", Test::Is(false)),
            Unfinished::Partial("is_final", Test::Is(false)),
            Unfinished::Partial("final", Test::Is(false)),
            Unfinished::Partial("stability", Test::Missing(&["isFinal", "is_final"])),
        ],
        read: Read::Mapped(mapping("alternatives", TRANSCRIPT, Score::Known)),
    }
}

/// A result of the interface behind the browser, as Python's `speech_recognition` shows it.
const fn google_web(layout: Layout) -> Json {
    Json {
        marks: &["alternative[].transcript"],
        read: Read::Mapped(mapping("alternative", TRANSCRIPT, Score::Known)),
        ..google(layout)
    }
}

pub(super) const GOOGLE: Spec = Spec::Json(&[
    google(Layout::inside("results[]")),
    google(Layout::inside("response.results[]")),
    google(Layout::DOCUMENTS),
    google_web(Layout::inside("result[]")),
    google_web(Layout::DOCUMENTS),
]);

/// A result of a stream.
const fn aws_stream(layout: Layout) -> Json {
    Json {
        marks: &["Alternatives[].Transcript"],
        certain: true,
        layout,
        unfinished: &[Unfinished::Partial("IsPartial", Test::Is(true))],
        read: Read::Mapped(mapping(
            "Alternatives",
            Text::Field(&["Transcript"]),
            Score::Sum("Items", "Confidence", Probability),
        )),
    }
}

pub(super) const AWS: Spec = Spec::Json(&[
    // With alternatives, a list for every segment.
    Json {
        marks: &["alternatives[].transcript"],
        certain: true,
        layout: Layout::inside("results.segments[]"),
        unfinished: &[],
        read: Read::Mapped(Mapping {
            id: Id::None,
            ..mapping("alternatives", TRANSCRIPT, Score::Sum("items", "confidence", Probability))
        }),
    },
    Json {
        marks: &["results.transcripts[].transcript"],
        certain: false,
        layout: Layout::DOCUMENTS,
        unfinished: &[],
        read: Read::Mapped(Mapping {
            id: Id::Field("jobName"),
            ..mapping("results.transcripts", TRANSCRIPT, Score::Known)
        }),
    },
    aws_stream(Layout::inside("Transcript.Results[]")),
    aws_stream(Layout::inside("TranscriptEvent.Transcript.Results[]")),
    aws_stream(Layout::DOCUMENTS),
]);

const SILENT: &[Unfinished] = &[
    Unfinished::Silent("RecognitionStatus", Test::NotText("Success")),
    Unfinished::Silent("recognitionStatus", Test::NotText("Success")),
];

pub(super) const AZURE: Spec = Spec::Json(&[
    Json {
        marks: &["NBest[].Display", "NBest[].Lexical"],
        certain: true,
        layout: Layout::DOCUMENTS,
        unfinished: SILENT,
        read: Read::Mapped(mapping("NBest", Text::Field(&["Display", "Lexical"]), Score::Known)),
    },
    Json {
        marks: &["nBest[].display", "nBest[].lexical"],
        certain: true,
        layout: Layout::inside("recognizedPhrases[]"),
        unfinished: SILENT,
        read: Read::Mapped(mapping("nBest", Text::Field(&["display", "lexical"]), Score::Known)),
    },
    Json {
        marks: &["offsetMilliseconds&text"],
        certain: true,
        layout: Layout::inside("phrases[]"),
        unfinished: &[],
        read: Read::Mapped(mapping("", Text::Field(&["text"]), Score::Known)),
    },
    Json {
        marks: &["RecognitionStatus&DisplayText"],
        certain: false,
        layout: Layout::DOCUMENTS,
        unfinished: SILENT,
        read: Read::Mapped(mapping("", Text::Field(&["DisplayText"]), Score::Known)),
    },
]);

pub(super) const OPENAI: Spec = Spec::Json(&[Json {
    // `usage` tells the answers without log-probabilities.
    marks: &["text&logprobs[].logprob", "text&usage.type"],
    certain: false,
    layout: Layout::DOCUMENTS,
    unfinished: &[],
    read: Read::Mapped(mapping("", Text::Field(&["text"]), Score::Sum("logprobs", "logprob", Log))),
}]);

pub(super) const ASSEMBLY_AI: Spec = Spec::Json(&[Json {
    marks: &["audio_url&text"],
    certain: false,
    layout: Layout::DOCUMENTS,
    unfinished: &[Unfinished::Silent("status", Test::NotText("completed"))],
    read: Read::Mapped(mapping("", Text::Field(&["text"]), Score::Known)),
}]);

pub(super) const REV_AI: Spec = Spec::Json(&[Json {
    marks: &["elements[].value"],
    certain: true,
    layout: Layout::inside("monologues[]"),
    unfinished: &[],
    read: Read::Mapped(mapping("", Text::Joined("elements", "value"), Score::Known)),
}]);
