//! What we call of PocketSphinx 5prealpha and its library sphinxbase.
//!
//! # Reference
//! `pocketsphinx.h`, `cmd_ln.h` and `logmath.h` of Debian's libpocketsphinx-dev 0.8+5prealpha.

use std::ffi::{c_char, c_double, c_int, c_void};

/// A type whose inside is C's.
macro_rules! opaque {
    ($($name:ident),+) => {
        $(#[repr(C)]
        pub(super) struct $name {
            _inside: [u8; 0],
        })+
    };
}

opaque!(Decoder, Config, Nbest, Words, LogMath);

unsafe extern "C" {
    pub(super) fn ps_args() -> *const c_void;
    /// Options as name and value, closed by null. Null where one is wrong.
    pub(super) fn cmd_ln_init(config: *mut Config, known: *const c_void, strict: i32, ...) -> *mut Config;
    pub(super) fn cmd_ln_free_r(config: *mut Config) -> c_int;

    /// Keeps a reference of its own to the options.
    pub(super) fn ps_init(config: *mut Config) -> *mut Decoder;
    pub(super) fn ps_free(decoder: *mut Decoder) -> c_int;
    pub(super) fn ps_get_logmath(decoder: *mut Decoder) -> *mut LogMath;
    pub(super) fn logmath_log_to_ln(logs: *mut LogMath, value: c_int) -> c_double;

    pub(super) fn ps_start_utt(decoder: *mut Decoder) -> c_int;
    pub(super) fn ps_process_raw(
        decoder: *mut Decoder,
        samples: *const i16,
        count: usize,
        no_search: c_int,
        full_utterance: c_int,
    ) -> c_int;
    pub(super) fn ps_end_utt(decoder: *mut Decoder) -> c_int;

    /// The answer, which is the decoder's, or null; its score goes to `score` unless that is null.
    pub(super) fn ps_get_hyp(decoder: *mut Decoder, score: *mut i32) -> *const c_char;
    /// The best hypothesis of the list, or null.
    pub(super) fn ps_nbest(decoder: *mut Decoder) -> *mut Nbest;
    /// The next one; null, and freed, where there is none.
    pub(super) fn ps_nbest_next(nbest: *mut Nbest) -> *mut Nbest;
    pub(super) fn ps_nbest_free(nbest: *mut Nbest);
    /// The text, which is the iterator's; null where it has no words.
    pub(super) fn ps_nbest_hyp(nbest: *mut Nbest, score: *mut i32) -> *const c_char;
    /// The words of the answer, or null.
    pub(super) fn ps_seg_iter(decoder: *mut Decoder) -> *mut Words;
    pub(super) fn ps_nbest_seg(nbest: *mut Nbest) -> *mut Words;

    /// The next word; null, and freed, where there is none.
    pub(super) fn ps_seg_next(words: *mut Words) -> *mut Words;
    pub(super) fn ps_seg_word(words: *mut Words) -> *const c_char;
    /// First and last frame of the word, of 10 ms.
    pub(super) fn ps_seg_frames(words: *mut Words, first: *mut c_int, last: *mut c_int);
}
