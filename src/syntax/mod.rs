//! Any bytes to text, any text to a tree.
//!
//! Reading may fail, because bytes that cannot be decoded exactly must not be guessed at. Parsing never fails: a
//! tree of broken text holds what could be understood, next to the errors. The one text that gets an empty tree is
//! one nested so deeply that no walk of its tree could be trusted with a stack, see [`depth`].

pub mod decode;
pub mod depth;
mod parse;
pub mod shape;
pub mod suppression;

pub use decode::{DecodeError, decode, read};
pub use parse::{SyntaxError, Tree, parse, parse_only};
