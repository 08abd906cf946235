//! Everything that can be tested without a network, in one binary.

mod cli;
mod output;
mod pages;
