//! A sample of each shape, with what it holds.

use rescorer_nbest::Format;

/// Id, texts, scores (empty for none), reference.
pub type List = (&'static str, &'static [&'static str], &'static [f64], Option<&'static str>);

/// A document of a shape.
pub struct Sample {
    pub format: Format,
    pub text: &'static str,
    /// The lists.
    pub lists: &'static [List],
    /// A path to a text in the first document, for a wrong type.
    pub text_at: &'static str,
}

const LN_09: f64 = -0.105_360_515_657_826_28;
const LN_05: f64 = -core::f64::consts::LN_2;

pub const SAMPLES: &[Sample] = &[
    Sample {
        format: Format::Deepgram,
        text: r#"{"metadata": {"request_id": "r", "channels": 2}, "results": {"channels": [
            {"alternatives": [{"transcript": "see the see", "confidence": 0.9, "words": [{"word": "see", "start": 0.1, "end": 0.4}]},
                              {"transcript": "see the sea", "confidence": 0.5}], "detected_language": "en"},
            {"alternatives": [{"transcript": "yes", "confidence": 0.5}]}], "utterances": []}}"#,
        lists: &[
            ("x:0", &["see the see", "see the sea"], &[LN_09, LN_05], None),
            ("x:1", &["yes"], &[LN_05], None),
        ],
        text_at: "/results/channels/0/alternatives/0/transcript",
    },
    Sample {
        format: Format::Deepgram,
        text: r#"{"type": "Results", "channel_index": [0, 1], "start": 1.5, "is_final": true, "channel": {"alternatives":
            [{"transcript": "one moment", "confidence": 0.9, "words": []}, {"transcript": "won moment", "confidence": 0.5}]}}"#,
        lists: &[("x:0", &["one moment", "won moment"], &[LN_09, LN_05], None)],
        text_at: "/channel/alternatives/0/transcript",
    },
    Sample {
        format: Format::Google,
        text: r#"{"results": [{"alternatives": [{"transcript": "buy it now", "confidence": 0.9}, {"transcript": "by it now"}],
            "resultEndTime": "1.2s", "languageCode": "en-us"}, {"alternatives": [{"transcript": " thank you"}]}], "requestId": "7"}"#,
        lists: &[("x:0", &["buy it now", "by it now"], &[], None), ("x:1", &["thank you"], &[], None)],
        text_at: "/results/0/alternatives/0/transcript",
    },
    Sample {
        format: Format::Google,
        text: r#"{"name": "1", "done": true, "metadata": {"progressPercent": 100}, "response": {"@type": "t", "results":
            [{"alternatives": [{"transcript": "two", "confidence": 0.9}, {"transcript": "too", "confidence": 0.5}]}]}}"#,
        lists: &[("x:0", &["two", "too"], &[LN_09, LN_05], None)],
        text_at: "/response/results/0/alternatives/0/transcript",
    },
    Sample {
        format: Format::Google,
        text: r#"{"alternatives": [{"transcript": "two", "confidence": 0.9}, {"transcript": "too", "confidence": 0.0}], "is_final": true}"#,
        lists: &[("x:0", &["two", "too"], &[], None)],
        text_at: "/alternatives/0/transcript",
    },
    Sample {
        format: Format::Google,
        text: r#"{"alternative": [{"transcript": "right", "confidence": 0.9}, {"transcript": "write"}], "final": true}"#,
        lists: &[("x:0", &["right", "write"], &[], None)],
        text_at: "/alternative/0/transcript",
    },
    Sample {
        format: Format::Google,
        text: r#"{"result": [{"alternative": [{"transcript": "right"}], "final": true}], "result_index": 0}"#,
        lists: &[("x:0", &["right"], &[], None)],
        text_at: "/result/0/alternative/0/transcript",
    },
    Sample {
        format: Format::Aws,
        text: r#"{"jobName": "j1", "status": "COMPLETED", "results": {"transcripts": [{"transcript": "He read."}], "items": [],
            "segments": [{"id": 0, "start_time": "0.1", "end_time": "0.9", "alternatives": [
              {"transcript": "He read.", "items": [{"type": "pronunciation", "content": "He", "confidence": "1.0"},
                {"type": "pronunciation", "content": "read", "confidence": "0.9"}, {"type": "punctuation", "content": ".", "confidence": "0.0"}]},
              {"transcript": "He red.", "items": [{"type": "pronunciation", "content": "He", "confidence": "1.0"},
                {"type": "pronunciation", "content": "red", "confidence": "0.5"}]}]}]}}"#,
        lists: &[("x:0", &["He read.", "He red."], &[LN_09, LN_05], None)],
        text_at: "/results/segments/0/alternatives/0/transcript",
    },
    Sample {
        format: Format::Aws,
        text: r#"{"jobName": "j1", "results": {"transcripts": [{"transcript": "He read."}], "items": [{"type": "pronunciation",
            "start_time": "0.1", "alternatives": [{"confidence": "0.99", "content": "He"}]}]}, "status": "COMPLETED"}"#,
        lists: &[("j1", &["He read."], &[], None)],
        text_at: "/results/transcripts/0/transcript",
    },
    Sample {
        format: Format::Aws,
        text: r#"{"Transcript": {"Results": [{"ResultId": "r", "IsPartial": false, "Alternatives": [{"Transcript": "Go on",
            "Items": [{"Content": "Go", "Type": "pronunciation", "Confidence": 0.9}, {"Content": "on", "Type": "pronunciation"}]}]}]}}"#,
        lists: &[("x:0", &["Go on"], &[LN_09], None)],
        text_at: "/Transcript/Results/0/Alternatives/0/Transcript",
    },
    Sample {
        format: Format::Azure,
        text: r#"{"RecognitionStatus": "Success", "Offset": 100, "Duration": 500, "DisplayText": "Fair enough.", "NBest": [
            {"Confidence": 0.9, "Lexical": "fair enough", "ITN": "fair enough", "MaskedITN": "fair enough", "Display": "Fair enough.",
             "Words": [{"Word": "fair", "Offset": 100, "Duration": 200}]},
            {"Confidence": 0.5, "Lexical": "fare enough", "ITN": "fare enough", "MaskedITN": "fare enough", "Display": "Fare enough."}]}"#,
        lists: &[("x:0", &["Fair enough.", "Fare enough."], &[LN_09, LN_05], None)],
        text_at: "/NBest/0/Display",
    },
    Sample {
        format: Format::Azure,
        text: r#"{"RecognitionStatus": "Success", "DisplayText": "Fair enough.", "Offset": 1, "Duration": 2}"#,
        lists: &[("x:0", &["Fair enough."], &[], None)],
        text_at: "/DisplayText",
    },
    Sample {
        format: Format::Azure,
        text: r#"{"source": "s", "duration": "PT2S", "combinedRecognizedPhrases": [{"channel": 0, "display": "A tale. A tail."}],
            "recognizedPhrases": [{"recognitionStatus": "Success", "channel": 0, "offset": "PT0.1S", "nBest": [
              {"confidence": 0.9, "lexical": "a tale", "itn": "a tale", "maskedITN": "a tale", "display": "A tale."},
              {"confidence": 0.5, "lexical": "a tail", "itn": "a tail", "maskedITN": "a tail", "display": "A tail."}]},
              {"recognitionStatus": "Failure", "channel": 0}]}"#,
        lists: &[("x:0", &["A tale.", "A tail."], &[LN_09, LN_05], None)],
        text_at: "/recognizedPhrases/0/nBest/0/display",
    },
    Sample {
        format: Format::Azure,
        text: r#"{"durationMilliseconds": 900, "combinedPhrases": [{"text": "So be it."}], "phrases": [{"offsetMilliseconds": 40,
            "durationMilliseconds": 800, "text": "So be it.", "words": [], "locale": "en-US", "confidence": 0.5}]}"#,
        lists: &[("x:0", &["So be it."], &[LN_05], None)],
        text_at: "/phrases/0/text",
    },
    Sample {
        format: Format::OpenAi,
        text: r#"{"text": "Stop here.", "logprobs": [{"token": "Stop", "logprob": -0.25, "bytes": [83]}, {"token": " here.",
            "logprob": -0.5, "bytes": [32]}], "usage": {"type": "tokens"}}"#,
        lists: &[("x:0", &["Stop here."], &[-0.75], None)],
        text_at: "/text",
    },
    Sample {
        format: Format::OpenAi,
        text: r#"{"text": "Go on.", "usage": {"type": "duration", "seconds": 2}}"#,
        lists: &[("x:0", &["Go on."], &[], None)],
        text_at: "/text",
    },
    Sample {
        format: Format::AssemblyAi,
        text: r#"{"id": "a-1", "status": "completed", "audio_url": "u", "text": "New year.", "confidence": 0.9, "words": [
            {"text": "New", "start": 10, "end": 200, "confidence": 0.9, "speaker": "A"}], "utterances": null}"#,
        lists: &[("a-1", &["New year."], &[LN_09], None)],
        text_at: "/text",
    },
    Sample {
        format: Format::RevAi,
        text: r#"{"monologues": [{"speaker": 0, "elements": [{"type": "text", "value": "Hi", "ts": 0.5, "end_ts": 0.7, "confidence": 0.9},
            {"type": "punct", "value": " "}, {"type": "text", "value": "there"}, {"type": "punct", "value": "."}]}, {"speaker": 1,
            "elements": [{"type": "text", "value": "Bye"}]}]}"#,
        lists: &[("x:0", &["Hi there."], &[], None), ("x:1", &["Bye"], &[], None)],
        text_at: "/monologues/0/elements/0/value",
    },
    Sample {
        format: Format::Whisper,
        text: r#"{"task": "transcribe", "duration": 1.5, "text": "Turn back.", "segments": [{"id": 0, "text": " Turn back.",
            "tokens": [1, 2, 3], "avg_logprob": -0.5, "no_speech_prob": 0.1}], "usage": {"type": "duration"}}"#,
        lists: &[("x:0", &["Turn back."], &[-0.5], None)],
        text_at: "/text",
    },
    Sample {
        format: Format::WhisperCpp,
        text: r#"{"systeminfo": "s", "model": {"type": "tiny"}, "result": {"language": "en"}, "transcription": [{"offsets": {"from": 0,
            "to": 900}, "text": " Turn back.", "tokens": [{"text": "[_BEG_]", "p": 0.1}, {"text": " Turn", "p": 0.9}, {"text": " back.",
            "p": 0.5}]}, {"text": " Now."}]}"#,
        lists: &[("x:0", &["Turn back. Now."], &[(LN_09 + LN_05) / 2.0], None)],
        text_at: "/transcription/0/text",
    },
    Sample {
        format: Format::HuggingFace,
        text: r#"{"text": " Turn back. Now.", "chunks": [{"timestamp": [0.0, 1.5], "text": " Turn back."}, {"timestamp": [1.5, null],
            "text": " Now."}]}"#,
        lists: &[("x:0", &["Turn back. Now."], &[], None)],
        text_at: "/text",
    },
    Sample {
        format: Format::EspnetData,
        text: r#"{"utts": {"s1-u1": {"output": [{"name": "target1[1]", "rec_text": "the whole truth<eos>", "rec_token": "t", "score": -2.5,
            "shape": [9, 52], "text": "the whole truth"}, {"name": "target1[2]", "rec_text": "the hole truth<eos>", "score": -3,
            "text": "the whole truth"}], "utt2spk": "s1"}, "s1-u2": {"output": [{"rec_text": "no", "score": -1, "text": "know"}]}}}"#,
        lists: &[
            ("s1-u1", &["the whole truth", "the hole truth"], &[-2.5, -3.0], Some("the whole truth")),
            ("s1-u2", &["no"], &[-1.0], Some("know")),
        ],
        text_at: "/utts/s1-u1/output/0/rec_text",
    },
    Sample {
        format: Format::NemoManifest,
        text: r#"{"audio_filepath": "a/one.wav", "offset": 2.5, "duration": 1.5, "text": "the weather", "pred_text": "the whether", "wer": 0.5}"#,
        lists: &[("one:2.5", &["the whether"], &[], Some("the weather"))],
        text_at: "/pred_text",
    },
    Sample {
        format: Format::FunAsr,
        text: r#"[{"key": "BAC1", "text": "你好", "timestamp": [[0, 200], [200, 400]]}]"#,
        lists: &[("BAC1", &["你好"], &[], None)],
        text_at: "/0/text",
    },
    Sample {
        format: Format::KaldiServer,
        text: r#"{"status": 0, "segment": 1, "id": "c", "result": {"hypotheses": [{"transcript": "one hour", "likelihood": 128.5,
            "confidence": 0.9}, {"transcript": "one our", "likelihood": 127}], "final": true}}"#,
        lists: &[("x:0", &["one hour", "one our"], &[128.5, 127.0], None)],
        text_at: "/result/hypotheses/0/transcript",
    },
    Sample {
        format: Format::Wenet,
        text: r#"{"nbest": [{"sentence": "四川", "word_pieces": []}, {"sentence": "四船"}], "type": "final_result"}"#,
        lists: &[("x:0", &["四川", "四船"], &[], None)],
        text_at: "/nbest/0/sentence",
    },
    Sample {
        format: Format::Vosk,
        text: r#"{"alternatives": [{"confidence": 270.5, "result": [], "text": "two"}, {"confidence": 268, "text": "to"}]}"#,
        lists: &[("x:0", &["two", "to"], &[270.5, 268.0], None)],
        text_at: "/alternatives/0/text",
    },
    Sample {
        format: Format::Vosk,
        text: r#"{"result": [{"conf": 0.9, "start": 0.1, "end": 0.5, "word": "two"}], "text": "two"}"#,
        lists: &[("x:0", &["two"], &[], None)],
        text_at: "/text",
    },
    Sample {
        format: Format::SherpaOnnx,
        text: r#"{"text": "wear it", "tokens": ["wear", "it"], "ys_log_probs": [-0.25, -0.5], "words": []}"#,
        lists: &[("x:0", &["wear it"], &[-0.75], None)],
        text_at: "/text",
    },
    Sample {
        format: Format::HyporadiseJson,
        text: r#"{"id": 7, "input": ["a cat", "a hat"], "output": "a hat", "am_score": [-1, -2]}"#,
        lists: &[("7", &["a cat", "a hat"], &[-1.0, -2.0], Some("a hat"))],
        text_at: "/input/0",
    },
    Sample {
        format: Format::EspnetJson,
        text: r#"{"u1": {"ref": "a hat", "hyp_1": {"score": -1, "text": "a cat"}, "hyp_2": {"score": -2, "text": "a hat"}}}"#,
        lists: &[("u1", &["a cat", "a hat"], &[-1.0, -2.0], Some("a hat"))],
        text_at: "/u1/hyp_1/text",
    },
    Sample {
        format: Format::Jsonl,
        text: r#"{"id": 1663, "text": "wear it", "hypotheses": [{"text": "wear it", "ys_log_probs": [-0.25, -0.5]}, {"text": "where it", "ys_log_probs": [-1]}]}"#,
        lists: &[("1663", &["wear it", "where it"], &[-0.75, -1.0], None)],
        text_at: "/hypotheses/0/text",
    },
    Sample {
        format: Format::Jsonl,
        text: r#"{"id": 4.0, "hypotheses": ["a cat", "a hat"], "scores": [-1, -2], "reference": "a hat"}"#,
        lists: &[("4", &["a cat", "a hat"], &[-1.0, -2.0], Some("a hat"))],
        text_at: "/hypotheses/0",
    },
    Sample {
        format: Format::Jsonl,
        text: r#"{"utt_id": "u", "hyps": ["a cat", "a hat"], "att_score": [-1, -2], "ctc_score": [-0.5, -0.25], "ref": "a hat"}"#,
        lists: &[("x:0", &["a cat", "a hat"], &[-1.5, -2.25], None)],
        text_at: "/hyps/0",
    },
    Sample {
        format: Format::Jsonl,
        text: r#"{"hypotheses": [{"text": "a cat", "scores": {"att": -1, "ctc": -2, "lm": -4}}, {"text": "a hat", "scores": {"att": -2, "ctc": -2, "lm": -1}}]}"#,
        lists: &[("x:0", &["a cat", "a hat"], &[-7.0, -5.0], None)],
        text_at: "/hypotheses/0/text",
    },
    Sample {
        format: Format::Jsonl,
        text: r#"{"hypotheses": [["a cat", -1.5], [-2, "a hat"]]}"#,
        lists: &[("x:0", &["a cat", "a hat"], &[-1.5, -2.0], None)],
        text_at: "/hypotheses/0/0",
    },
    Sample {
        format: Format::Beams,
        text: r#"[["a cat", null, [["a", [0, 2]], ["cat", [3, 6]]], -5, -9.5], ["a hat", null, [["a", [0, 2]], ["hat", [3, 6]]], -5.5, -9]]"#,
        lists: &[("x:0", &["a cat", "a hat"], &[-9.5, -9.0], None)],
        text_at: "/0/0",
    },
    Sample {
        format: Format::Beams,
        text: r#"[[["a cat", null, [], -5, -5]], [["no", null, [], -1, -1], ["know", null, [], -2, -2]]]"#,
        lists: &[("x:0", &["a cat"], &[-5.0], None), ("x:1", &["no", "know"], &[-1.0, -2.0], None)],
        text_at: "/0/0/0",
    },
    Sample {
        format: Format::Beams,
        text: r#"[[[4, 5], ["a", "cat"], -5.5, [1, 2]], [[4, 6], ["a", "hat"], -6, [1, 2]]]"#,
        lists: &[("x:0", &["a cat", "a hat"], &[-5.5, -6.0], None)],
        text_at: "/0/1",
    },
    Sample {
        format: Format::Beams,
        text: r#"[{"tokens": [4, 5], "words": ["a", "cat"], "score": -5.5, "timesteps": [1, 2]}, {"tokens": [4, 6], "words": ["a", "hat"], "score": -6}]"#,
        lists: &[("x:0", &["a cat", "a hat"], &[-5.5, -6.0], None)],
        text_at: "/0/words",
    },
    Sample {
        format: Format::Beams,
        text: r#"["a cat", "a hat"]"#,
        lists: &[("x:0", &["a cat", "a hat"], &[], None)],
        text_at: "/0",
    },
];
