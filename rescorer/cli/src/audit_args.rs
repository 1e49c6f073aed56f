//! Arguments of `adapter audit`.

use std::path::PathBuf;

use clap::Args;

use crate::args::CommonArgs;
use crate::base_model_args::BaseModelArgs;
use crate::numbers;

#[derive(Args)]
#[command(after_help = "Examples:
  rescorer adapter audit adapter
  rescorer adapter audit adapter --phrases phrases.txt --lists test.jsonl --html audit.html

The exit code is 0 if no trigger is found, 1 if one is, and 2 if the adapter can't be audited.")]
pub struct AuditArgs {
    /// Folder of the adapter
    pub adapter: PathBuf,
    /// Try the phrases of this file too, one a line
    #[arg(long, value_name = "FILE", help_heading = "Search")]
    pub phrases: Option<PathBuf>,
    /// Try the worst triggers on these N-best lists too
    #[arg(long, value_name = "FILES", value_delimiter = ',', help_heading = "Search")]
    pub lists: Vec<PathBuf>,
    /// Search the N commonest words of the vocabulary
    #[arg(long, default_value_t = 8_000, value_name = "N", value_parser = numbers::at_least_one, help_heading = "Search")]
    pub words: usize,
    #[command(flatten)]
    pub base: BaseModelArgs,
    /// Write an HTML page to this file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    pub common: CommonArgs,
}
