//! To be written.

pub mod page;
pub mod selection;
