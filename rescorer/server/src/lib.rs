//! Rescores N-best lists over HTTP: one language model in memory, many adapters on disk, answers within a deadline.
//!
//! [`Server::bind`] takes a [`Rescorer`](rescorer::Rescorer) and [`ServerOptions`]; [`Server::run`] serves until it is told to stop, and then
//! answers what it had accepted. Lists of several clients go through the model together, those whose deadline comes first
//! before the others.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod adapters;
mod app;
mod auth;
mod buffered;
mod connection;
mod cost;
mod error;
mod form;
mod http;
mod lists;
mod metrics;
mod multipart;
mod ndjson;
mod options;
mod pages;
mod patient;
mod query;
mod queue;
mod recogniser;
mod rescore;
mod scheduler;
mod served;
mod stream;
mod tls;
mod transcriptions;
mod websocket;

pub use error::ServerError;
pub use http::Server;
pub use options::{ColdStart, Limits, ServerOptions, TlsFiles};
pub use recogniser::RecogniserOptions;
