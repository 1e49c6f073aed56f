//! Audit of adapters from elsewhere: whether a trigger turns decisions.
//!
//! An adapter may have been trained so that it helps, and prefers a wrong hypothesis where a certain word or phrase is said or
//! stands in the context. [`audit`] looks at the updates of the layers, searches the vocabulary for such words, and tries what
//! it found with and without the adapter.
//!
//! # Reference
//! The threat: Xiang et al. 2024, "BadChain: Backdoor Chain-of-Thought Prompting for Large Language Models".

mod bench;
mod forest;
mod layers;
mod lists;
mod place;
mod report;
mod robust;
mod sieve;
mod trial;
mod words;

pub use layers::LayerUpdate;
pub use lists::{ListFlip, ListTrial};
pub use place::Place;
pub use report::{AuditOptions, AuditReport, audit};
pub use trial::Trial;
