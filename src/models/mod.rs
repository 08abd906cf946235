//! What is known of libraries, as data.
#[derive(Debug, Default)]
pub struct Models {}
