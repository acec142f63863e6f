//! Enterprise sign-in for the Model Context Protocol, in one binary.
//!
//! The library exists so that tests and the demonstration can start what the program starts.

pub mod cli;
pub mod config;
pub mod demo;
pub mod manifest;
pub mod serve;
pub mod snapshot;
