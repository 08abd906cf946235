//! Tree to facts.
