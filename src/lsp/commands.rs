//! What the editor may ask for by name.

/// Arguments: a code or a name. The rule's page, in Markdown.
pub const EXPLAIN: &str = "unleak.explain";
/// Arguments: a code or a name. Opens the rule's page in a browser.
pub const OPEN_RULE: &str = "unleak.openRule";
/// Arguments: a document's URI. Mends what can be mended in it without changing what the program does.
pub const FIX_ALL: &str = "unleak.fixAll";

pub const NAMES: [&str; 3] = [EXPLAIN, OPEN_RULE, FIX_ALL];
