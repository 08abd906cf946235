//! unleak reads Python and says where it will leak.
//!
//! One run goes up through the floors below, and a floor uses only floors above it in this list (a test reads the
//! list and every path). [`source`] is text and places in it; [`finding`] is what unleak says. [`syntax`] makes a
//! tree of any text, errors and all, and [`facts`] lowers it to what later floors ask about, after which the tree is
//! gone: nothing above `facts` knows it. [`models`] is what `rules/models/*.toml` knows of libraries. [`program`]
//! links all facts: what a name means, who calls whom, what runs repeatedly, who lets go. [`rules`] ask the program;
//! each is a page in `rules/` and a function. [`config`] reads what the user has decided. [`engine`] loads files and drives
//! it all, [`fix`] makes edits of what can be mended, [`output`] prints, [`confirm`] runs the user's program to see which
//! findings are real, [`lsp`] tells an editor, [`cli`] is the command line.
//!
//! Nothing between `syntax` and `rules` can fail: they give partial results. Input and output happen only at the
//! edge, in `config`, `engine`, `confirm`, `lsp` and `cli`.

pub mod source;
pub mod finding;
pub mod syntax;
pub mod models;
pub mod facts;
pub mod program;
pub mod rules;
pub mod config;
pub mod engine;
pub mod fix;
pub mod output;
pub mod confirm;
pub mod lsp;
pub mod cli;
