//! Enterprise sign-in for the Model Context Protocol, in one binary.

pub mod demo;
