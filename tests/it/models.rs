//! Library knowledge is data, and tests itself: every entry proves that it matters, every mistake is named.

use std::collections::HashMap;

use unleak::models::{By, Domain, Holds, Models, Shape};
use unleak::source::Name;

#[test]
fn files_load_and_cite_their_library() {
    for (file, text) in Models::builtin_files() {
        if let Err(error) = Models::load(file, text) {
            panic!("rules/models/{error}");
        }
        assert!(text.contains("\ndocs = \"https://"), "rules/models/{file} names no documentation");
        assert!(text.starts_with("library = "), "rules/models/{file} does not begin with its library");
    }
}
