//! The acts between a phone, the store and a switch, and the key that PINs are hashed with.

pub mod pepper;
