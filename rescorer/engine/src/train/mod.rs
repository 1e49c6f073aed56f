//! Training of adapters on N-best lists and on plain text.
//!
//! A [`Recipe`] says what is trained, on what and how; a [`Trainer`] follows it, stage by stage, and tells what it does
//! through [`Event`]s. Killed at any moment it goes on from its last checkpoint to the same result.

mod adapter_recipe;
mod checkpoint;
mod data;
mod data_recipe;
mod encoder_step;
#[cfg(test)]
mod encoder_tests;
mod event;
mod gain;
mod learning;
mod look;
mod losses;
mod objective;
mod optimizer;
#[cfg(test)]
mod parity_tests;
mod recipe;
mod resume;
mod schedule;
mod seed;
mod set;
mod stage;
mod stage_lists;
mod step;
mod teacher;
mod text;
mod trainer;
mod trainer_step;

pub use adapter_recipe::{AdapterRecipe, Method};
pub use checkpoint::Progress;
pub use data::Example;
pub use data_recipe::DataRecipe;
pub use event::{DevReport, Event, StepReport};
pub use learning::{LearnOptions, Learner, Lesson, RecurringTerm};
pub use objective::{ListLoss, ListView, list_loss};
pub use recipe::Recipe;
pub use schedule::learning_rate;
pub use set::TrainingSet;
pub use stage::{Judge, Schedule, Stage, StageRecipe};
pub use teacher::Teacher;
pub use text::{TextCorpus, TextForm};
pub use trainer::Trainer;
