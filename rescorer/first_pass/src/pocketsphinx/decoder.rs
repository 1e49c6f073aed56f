use std::ffi::{CStr, CString, c_char};
use std::path::{Path, PathBuf};
use std::ptr;

use rescorer_nbest::Hypothesis;
use serde_json::{Value, json};

use super::ffi;
use super::options::{NAME, PocketSphinxOptions};
use crate::{Error, FirstPass, Recognition};

/// Where the system's package has its models, as pkg-config said at the build.
const SYSTEM_MODELS: &str = env!("POCKETSPHINX_MODELS");

/// Scores are kept without their last ten bits (`SENSCR_SHIFT` of its `hmm.h`), so a step is 2¹⁰ steps of its logarithm.
const SCALE: f64 = 1024.0;

/// Paths that are looked at for each hypothesis asked for: many have the same words.
const PATHS: usize = 20;

/// Frames a second, the default of PocketSphinx.
const FRAMES: f64 = 100.0;

/// PocketSphinx. Scores are its path scores, acoustic and (times its weight, 6.5) language model, as natural logarithms;
/// hypotheses have `words` with times.
///
/// A list begins with PocketSphinx's own answer. Another search finds it, on another scale, and it has fewer errors than
/// the best path of the list, in which it may be missing; it gets the best score of the list. Of the paths with the same
/// words, which differ in pauses and pronunciations, the best is listed.
///
/// A model file that is damaged may end the program: the C library leaves with `exit` then.
pub struct PocketSphinx {
    decoder: *mut ffi::Decoder,
    config: *mut ffi::Config,
    nbest: usize,
}

impl PocketSphinx {
    /// Loads the models.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where they are not there.
    pub fn new(options: &PocketSphinxOptions) -> Result<Self, Error> {
        let nbest = options.nbest.max(1);
        let folder = options.models.clone().unwrap_or_else(|| PathBuf::from(SYSTEM_MODELS).join("en-us"));
        let acoustic = part(&folder, "en-us", "en-us/mdef")?;
        let language = part(&folder, "en-us.lm.bin", "en-us.lm.bin")?;
        let dictionary = part(&folder, "cmudict-en-us.dict", "cmudict-en-us.dict")?;
        let arguments = [
            (c"-hmm", acoustic.as_c_str()),
            (c"-lm", language.as_c_str()),
            (c"-dict", dictionary.as_c_str()),
            (c"-logfn", c"/dev/null"),
        ]
        .map(|(name, value)| [name.as_ptr(), value.as_ptr()]);
        let [hmm, lm, dict, log] = arguments;
        // SAFETY: names and values are strings that end in a zero and outlive the call, which copies them; null closes them.
        let config = unsafe {
            ffi::cmd_ln_init(
                ptr::null_mut(),
                ffi::ps_args(),
                1,
                hmm[0],
                hmm[1],
                lm[0],
                lm[1],
                dict[0],
                dict[1],
                log[0],
                log[1],
                ptr::null::<c_char>(),
            )
        };
        let mut this = Self { decoder: ptr::null_mut(), config, nbest };
        if !config.is_null() {
            // SAFETY: the options are there.
            this.decoder = unsafe { ffi::ps_init(config) };
        }
        if this.decoder.is_null() {
            return Err(unavailable(&folder, "the models in it can't be loaded"));
        }
        Ok(this)
    }

    fn decode(&mut self, samples: &[i16]) -> Result<(), Error> {
        // SAFETY: the decoder is there, and the samples are as many as is said.
        let done = unsafe {
            ffi::ps_start_utt(self.decoder) >= 0
                && ffi::ps_process_raw(self.decoder, samples.as_ptr(), samples.len(), 0, 1) >= 0
                && ffi::ps_end_utt(self.decoder) >= 0
        };
        if done {
            return Ok(());
        }
        // SAFETY: as above; an utterance that was begun is closed, so that another one can be.
        unsafe { ffi::ps_end_utt(self.decoder) };
        Err(Error::Refused { first_pass: NAME, reason: "it could not decode this stretch".into() })
    }

    /// What PocketSphinx answers for the utterance that was decoded, with the score of its search.
    fn own_answer(&mut self) -> Option<Hypothesis> {
        let mut score = 0;
        // SAFETY: the decoder is there; the text is copied, and the iterator of words is used up.
        unsafe {
            let text = text(ffi::ps_get_hyp(self.decoder, &raw mut score))?;
            let logs = ffi::ps_get_logmath(self.decoder);
            let mut own = Hypothesis::scored(text, SCALE * ffi::logmath_log_to_ln(logs, score));
            own.extra.insert("words".into(), words(ffi::ps_seg_iter(self.decoder)));
            Some(own)
        }
    }

    /// The N-best list of the utterance that was decoded.
    fn list(&mut self) -> Vec<Hypothesis> {
        let mut list: Vec<Hypothesis> = Vec::new();
        let mut paths = 0;
        // SAFETY: an iterator is used until the call that gives its successor, which frees it, or until it is freed here.
        unsafe {
            let logs = ffi::ps_get_logmath(self.decoder);
            let mut next = ffi::ps_nbest(self.decoder);
            while !next.is_null() {
                if list.len() == self.nbest || paths == PATHS * self.nbest {
                    ffi::ps_nbest_free(next);
                    break;
                }
                paths += 1;
                let mut score = 0;
                let text = text(ffi::ps_nbest_hyp(next, &raw mut score));
                if let Some(text) = text.filter(|text| list.iter().all(|listed| listed.text != *text)) {
                    let mut hypothesis =
                        Hypothesis::scored(text, SCALE * ffi::logmath_log_to_ln(logs, score));
                    hypothesis.extra.insert("words".into(), words(ffi::ps_nbest_seg(next)));
                    list.push(hypothesis);
                }
                next = ffi::ps_nbest_next(next);
            }
        }
        list
    }
}

impl FirstPass for PocketSphinx {
    fn name(&self) -> &str {
        NAME
    }

    fn max_seconds(&self) -> f64 {
        30.0
    }

    fn recognize(&mut self, samples: &[f32]) -> Result<Recognition, Error> {
        let scaled = |sample: &f32| (sample * 32768.0).round() as i16;
        self.decode(&samples.iter().map(scaled).collect::<Vec<_>>())?;
        let mut list = self.list();
        if let Some(own) = self.own_answer() {
            put_first(&mut list, own);
            list.truncate(self.nbest);
        }
        Ok(Recognition::new(list))
    }
}

impl Drop for PocketSphinx {
    fn drop(&mut self) {
        // SAFETY: both are ours alone; either may be null, which is not freed.
        unsafe {
            if !self.decoder.is_null() {
                ffi::ps_free(self.decoder);
            }
            if !self.config.is_null() {
                ffi::cmd_ln_free_r(self.config);
            }
        }
    }
}

/// Puts the recogniser's own answer before the others, once, with the best score of the list, if there is any.
fn put_first(list: &mut Vec<Hypothesis>, mut own: Hypothesis) {
    own.score = list.iter().filter_map(|listed| listed.score).reduce(f64::max).or(own.score);
    list.retain(|listed| listed.text != own.text);
    list.insert(0, own);
}

/// Words with their times in seconds; what is no word, as silence and noise, is left out.
///
/// # Safety
/// `segment` is null or an iterator, which is used up.
unsafe fn words(mut segment: *mut ffi::Words) -> Value {
    let mut words = Vec::new();
    while !segment.is_null() {
        let (mut first, mut last) = (0, 0);
        // SAFETY: as the caller says; the text is copied before the iterator goes on.
        let word = unsafe {
            ffi::ps_seg_frames(segment, &raw mut first, &raw mut last);
            let word = text(ffi::ps_seg_word(segment));
            segment = ffi::ps_seg_next(segment);
            word
        };
        if let Some(word) = word.as_deref().and_then(plain) {
            let (start, end) = (f64::from(first) / FRAMES, f64::from(last + 1) / FRAMES);
            words.push(json!({"word": word, "start": start, "end": end}));
        }
    }
    Value::Array(words)
}

/// A word of the dictionary without the number of its pronunciation: `read(2)` is `read`. Fillers are none.
fn plain(word: &str) -> Option<&str> {
    let is_filler = word.starts_with(['<', '[', '+']);
    let base = word.split_once('(').map_or(word, |(base, _)| base);
    (!is_filler && !base.is_empty()).then_some(base)
}

/// A copy of C's text.
///
/// # Safety
/// `text` is null or ends in a zero.
unsafe fn text(text: *const c_char) -> Option<String> {
    // SAFETY: as the caller says.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

/// Path of a part of the models that is there: the library ends the program over one that is not.
fn part(folder: &Path, name: &str, file: &str) -> Result<CString, Error> {
    let path = folder.join(name);
    if !folder.join(file).exists() {
        return Err(unavailable(folder, &format!("it has no {file}")));
    }
    CString::new(path.to_string_lossy().as_bytes()).map_err(|_| unavailable(folder, "its name holds a zero"))
}

fn unavailable(folder: &Path, what: &str) -> Error {
    let remedy = "install pocketsphinx-en-us, or name a folder that has en-us, en-us.lm.bin and \
                  cmudict-en-us.dict";
    Error::Unavailable { first_pass: NAME, reason: format!("{}: {what}; {remedy}", folder.display()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fillers_and_pronunciations() {
        assert_eq!(plain("read(2)"), Some("read"));
        assert_eq!(plain("cat"), Some("cat"));
        for filler in ["<sil>", "</s>", "[NOISE]", "++BREATH++", ""] {
            assert_eq!(plain(filler), None);
        }
    }

    #[test]
    fn the_own_answer_comes_first_with_the_best_score() {
        let first = |texts: &[(&str, f64)], own: &str| {
            let mut list = texts.iter().map(|(text, score)| Hypothesis::scored(*text, *score)).collect();
            put_first(&mut list, Hypothesis::scored(own, -7.0));
            list.into_iter().map(|listed| (listed.text, listed.score.unwrap())).collect::<Vec<_>>()
        };
        let owned = |text: &str, score| (text.to_owned(), score);
        let listed = [("a cat", -90.0), ("a hat", -80.0)];
        assert_eq!(first(&listed, "a hat"), [owned("a hat", -80.0), owned("a cat", -90.0)]);
        let all = [owned("the cat", -80.0), owned("a cat", -90.0), owned("a hat", -80.0)];
        assert_eq!(first(&listed, "the cat"), all);
        assert_eq!(first(&[], "a cat"), [owned("a cat", -7.0)]);
    }

    #[test]
    fn models_that_are_not_there() {
        let options = PocketSphinxOptions { models: Some("nowhere".into()), nbest: 5 };
        let error = PocketSphinx::new(&options).err().unwrap().to_string();
        assert_eq!(error.split(';').next(), Some("first pass pocketsphinx: nowhere: it has no en-us/mdef"));
        assert!(error.contains("name a folder"));
    }
}
