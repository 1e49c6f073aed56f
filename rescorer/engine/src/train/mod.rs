//! Training of adapters on N-best lists.
//!
//! A [`Recipe`] says what is trained, on what and how; a [`Trainer`] follows it, stage by stage, and tells what it does
//! through [`Event`]s. Killed at any moment it goes on from its last checkpoint to the same result.

mod checkpoint;
mod data;
mod objective;
mod optimizer;
#[cfg(test)]
mod parity_tests;
mod recipe;
mod schedule;
mod step;
mod trainer;

pub use checkpoint::Progress;
pub use data::Example;
pub use objective::{ListLoss, ListView, list_loss};
pub use recipe::{AdapterRecipe, DataRecipe, Judge, Method, Recipe, Schedule, Stage, StageRecipe};
pub use schedule::learning_rate;
pub use trainer::{DevReport, Event, StepReport, Trainer, TrainingSet};
