//! A first pass: recognisers that turn WAV files into N-best lists.
//!
//! [`Speech`] is a recording as recognisers want it, 16 kHz and one channel. [`cut`] divides it where it is quiet, a
//! [`FirstPass`] recognises the pieces, and [`transcribe`] does both and yields an
//! [`Utterance`](rescorer_nbest::Utterance) for every piece. [`FirstPassKind`] is the registry of recognisers that come
//! with the crate; any other one implements the trait:
//!
//! ```
//! use rescorer_first_pass::{Error, FirstPass, Recognition, Speech, transcribe};
//! use rescorer_nbest::Hypothesis;
//!
//! struct Parrot;
//!
//! impl FirstPass for Parrot {
//!     fn name(&self) -> &str {
//!         "parrot"
//!     }
//!     fn max_seconds(&self) -> f64 {
//!         30.0
//!     }
//!     fn recognize(&mut self, _samples: &[f32]) -> Result<Recognition, Error> {
//!         Ok(Recognition::new(vec![Hypothesis::scored("hello", -0.5), Hypothesis::scored("hallo", -0.9)]))
//!     }
//! }
//!
//! let speech = Speech::new("greeting", vec![0.1; 8000]);
//! for piece in transcribe(&mut Parrot, &speech, 30.0) {
//!     let piece = piece?;
//!     assert_eq!(piece.utterance.id, "greeting:1");
//!     assert_eq!(piece.utterance.nbest.first().text, "hello");
//! }
//! # Ok::<(), Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod error;
mod first_pass;
mod pocketsphinx;
mod process;
mod registry;
mod segments;
mod speech;
mod transcribe;
mod whisper;

pub use error::Error;
pub use first_pass::{FirstPass, Recognition};
#[cfg(feature = "pocketsphinx")]
pub use pocketsphinx::PocketSphinx;
pub use pocketsphinx::PocketSphinxOptions;
pub use registry::{FirstPassKind, FirstPassOptions};
pub use segments::cut;
pub use speech::{RATE, Speech};
pub use transcribe::{Piece, transcribe};
pub use whisper::{Whisper, WhisperOptions};
