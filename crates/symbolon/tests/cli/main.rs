//! The command line as somebody at a shell meets it: the built program in a temporary folder.

mod audit;
mod definitions;
mod doctor;
mod people;
mod policy;
mod setup;
mod support;
