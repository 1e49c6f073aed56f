//! The formats of lists, by name. How each is read stands in [`formats`](crate::formats).

use std::fmt;

macro_rules! formats {
    ($($(#[$docs:meta])* $variant:ident = $name:literal $(, if $feature:literal)?;)+) => {
        /// A file format of N-best lists.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Format {
            $($(#[$docs])* $(#[cfg(feature = $feature)])? $variant,)+
        }

        impl Format {
            /// Every format.
            pub const ALL: &'static [Self] = &[$($(#[cfg(feature = $feature)])? Self::$variant,)+];

            /// The name on the command line.
            pub fn name(self) -> &'static str {
                match self {
                    $($(#[cfg(feature = $feature)])? Self::$variant => $name,)+
                }
            }
        }
    };
}

formats! {
    /// `jsonl`, the native format: one JSON object a line, with `id`, `hypotheses` (`text`, `score`),
    /// `reference`, `context`.
    Jsonl = "jsonl";
    /// `hyporadise`: a JSON array of objects with `input` (the texts), `output` (the reference), `am_score`
    /// or `score`.
    HyporadiseJson = "hyporadise";
    /// `am-json` of ESPnet and mlm-scoring: a JSON object of id → `ref`, `hyp_1`, `hyp_2`, ... (`score`,
    /// `text`).
    EspnetJson = "am-json";
    /// `espnet`: a decode folder of ESPnet, `logdir/output.N/Kbest_recog/` with `text` and `score`, and `ref.txt` beside `logdir`.
    EspnetFolder = "espnet";
    /// `kaldi`: a folder of Kaldi's `nbest-to-linear`, `words_text` and costs (`ac_cost`, `lm_cost`, `acwt`, `lmwt.*`), with
    /// `text` as references; or a folder of such folders, `archives.N`.
    Kaldi = "kaldi";
    /// `vosk`: answers of Vosk with `alternatives` (`text`, `confidence`), one JSON object or a stream of them.
    Vosk = "vosk";
    /// `nemo`: a folder with the beams of NeMo's n-gram decoding, `preds_out_width*.tsv`, and their
    /// `*manifest*.json`.
    Nemo = "nemo";
    /// `whisper`: results of Whisper, faster-whisper or WhisperX with `segments`, one JSON object or a stream of
    /// them, alone or as `hypotheses`.
    Whisper = "whisper";
    /// `sherpa-onnx`: results of sherpa-onnx with `ys_probs`, one JSON object or a stream of them, alone or as
    /// `nbest`.
    SherpaOnnx = "sherpa-onnx";
    /// `whisper-cpp`: results of whisper.cpp with `transcription`.
    WhisperCpp = "whisper-cpp";
    /// `openai`: OpenAI's transcriptions with `logprobs`; those with `segments` are `whisper`.
    OpenAi = "openai";
    /// `huggingface`: results of the pipeline of Transformers with `chunks`.
    HuggingFace = "huggingface";
    /// `deepgram`: Deepgram's answers, `results.channels` or, in a stream, `channel`.
    Deepgram = "deepgram";
    /// `google`: Google's answers, `results` with `alternatives`, and those of services that are alike (Watson, Riva).
    Google = "google";
    /// `aws`: Amazon Transcribe's answers, `results` of a job or `Transcript` of a stream.
    Aws = "aws";
    /// `azure`: Azure's answers with `NBest`, of a batch with `recognizedPhrases`, of the fast transcription with `phrases`.
    Azure = "azure";
    /// `assemblyai`: AssemblyAI's transcripts.
    AssemblyAi = "assemblyai";
    /// `rev-ai`: Rev AI's transcripts with `monologues`.
    RevAi = "rev-ai";
    /// `espnet1`: `data.json` of ESPnet 1 with `utts`.
    EspnetData = "espnet1";
    /// `nemo-manifest`: a manifest of NeMo with `pred_text`.
    NemoManifest = "nemo-manifest";
    /// `kaldi-server`: answers of kaldi-gstreamer-server with `result.hypotheses`.
    KaldiServer = "kaldi-server";
    /// `wenet`: answers of WeNet with `nbest` and `sentence`.
    Wenet = "wenet";
    /// `funasr`: results of FunASR with `key` and `text`.
    FunAsr = "funasr";
    /// `beams`: lists of texts, of pairs of text and score, or of the beams of pyctcdecode or torchaudio.
    Beams = "beams";
    /// `srilm`: N-best lists of SRILM and Decipher (`NBestList1.0`, or acoustic score, LM score, number of words), a file for
    /// each utterance, or a folder of them.
    Srilm = "srilm";
    /// `wav2letter`: beams of wav2letter and flashlight, `ID | SCORE | AM SCORE | LM SCORE | WER | WORDS` a line.
    Wav2letter = "wav2letter";
    /// `torchaudio`: beams of torchaudio's CTC decoders as Python prints them, lists of `CTCHypothesis(...)`.
    Torchaudio = "torchaudio";
    /// `csv`: a table with commas or semicolons, one hypothesis a row, the columns `id` and `text`, and `score`,
    /// `reference`, `context`, `position` where they are there.
    Csv = "csv";
    /// `tsv`: the same table with tabs.
    Tsv = "tsv";
    /// `parquet`: a Parquet file whose columns have the names of one of the JSON formats (feature `parquet`).
    Parquet = "parquet", if "parquet";
    /// `arrow`: the same in an Arrow file or stream, as Feather and the caches of Hugging Face are (feature `parquet`).
    Arrow = "arrow", if "parquet";
}

impl Format {
    /// The names of all formats, for messages.
    pub(crate) fn names() -> String {
        let names: Vec<_> = Self::ALL.iter().map(|format| format.name()).collect();
        names.join(", ")
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
