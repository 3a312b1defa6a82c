//! What stands around.
mod lab;
