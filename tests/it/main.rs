//! Everything that can be tested in-process, in one binary because linking is slower than the tests.

mod models;
