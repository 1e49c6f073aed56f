//! Recognisers that answer in messages, partial results among them.
//!
//! Vosk's `confidence` is a log-likelihood of the recogniser, higher is better, and so is `likelihood` of
//! kaldi-gstreamer-server. An utterance that nothing was heard in has one alternative with an empty text.
//!
//! # Reference
//! vosk-api, `src/recognizer.cc` (`Recognizer::NbestResult`, `PartialResult`); alumae/kaldi-gstreamer-server, "Server
//! response"; wenet-e2e/wenet, `runtime/core/websocket/websocket_server.cc` and `runtime/core/api/wenet_api.cc`.

use crate::ScoreKind::Log;
use crate::shape::{Id, Json, Layout, Mapping, Read, Reference, Score, Test, Text, Unfinished};
use crate::spec::Spec;

const PARTIAL: &[Unfinished] = &[Unfinished::Partial("partial", Test::Any)];

const ALTERNATIVES: Read = Read::Mapped(Mapping {
    lists: "",
    hypotheses: "alternatives",
    text: Text::Field(&["text"]),
    score: Score::Field("confidence", Log),
    id: Id::Own,
    reference: Reference::List("reference"),
});

pub(super) const VOSK: Spec = Spec::Json(&[
    Json {
        marks: &["alternatives[].text"],
        certain: true,
        layout: Layout::DOCUMENTS,
        unfinished: PARTIAL,
        read: ALTERNATIVES,
    },
    Json {
        marks: &["alternatives"],
        certain: false,
        layout: Layout::DOCUMENTS,
        unfinished: PARTIAL,
        read: ALTERNATIVES,
    },
    // Without alternatives.
    Json {
        marks: &["text&result[].conf", "text&partial"],
        certain: false,
        layout: Layout::DOCUMENTS,
        unfinished: PARTIAL,
        read: Read::Mapped(Mapping::ONE_TEXT),
    },
]);

pub(super) const KALDI_SERVER: Spec = Spec::Json(&[Json {
    marks: &["result.hypotheses[].transcript"],
    certain: true,
    layout: Layout::DOCUMENTS,
    unfinished: &[
        Unfinished::Partial("result.final", Test::Is(false)),
        Unfinished::Silent("status", Test::Missing(&["result"])),
    ],
    read: Read::Mapped(Mapping {
        lists: "",
        hypotheses: "result.hypotheses",
        text: Text::Field(&["transcript"]),
        score: Score::Field("likelihood", Log),
        // `id` is that of the connection.
        id: Id::None,
        reference: Reference::List("reference"),
    }),
}]);

pub(super) const WENET: Spec = Spec::Json(&[Json {
    marks: &["nbest[].sentence"],
    certain: true,
    layout: Layout::DOCUMENTS,
    unfinished: &[
        Unfinished::Partial("type", Test::Text("partial_result")),
        Unfinished::Silent("type", Test::NotText("final_result")),
    ],
    read: Read::Mapped(Mapping {
        lists: "",
        hypotheses: "nbest",
        text: Text::Field(&["sentence"]),
        score: Score::Known,
        id: Id::Own,
        reference: Reference::List("reference"),
    }),
}]);
