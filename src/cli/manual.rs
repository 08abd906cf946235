//! What shells and `man` show of the command line, made of the same description as its help.

use clap::CommandFactory;

use super::streams::print_plain;
use super::{Cli, Exit};

pub fn print_completions(shell: clap_complete::Shell) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "unleak", &mut text);
    Exit::of_printing(print_plain(|out| out.write_all(&text)))
}

pub fn print_page() -> Exit {
    let page = clap_mangen::Man::new(Cli::command());
    Exit::of_printing(print_plain(|out| page.render(out)))
}
