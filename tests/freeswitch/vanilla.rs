//! What is there.
