//! FastAGI: the codec, the commands, the server, and one caller on the line.

pub mod caller;
pub mod codec;
pub mod command;
pub mod server;
