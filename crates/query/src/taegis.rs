//! The Taegis-style language.
