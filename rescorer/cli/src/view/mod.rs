//! Texts against their reference, to look at: in a terminal, and as a page that needs no network.

mod grid;
mod page;
mod reliability;
mod terminal;

pub use grid::Grid;
pub use page::{alignments, document};
pub use reliability::reliability;
pub use terminal::write;
