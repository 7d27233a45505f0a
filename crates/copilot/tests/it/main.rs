//! The product from outside, and the reference model that it is held against.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

mod access;
mod alike;
mod audit;
mod bodies;
mod browser;
mod canary;
mod cluster;
mod contract;
mod corpus;
mod crash;
mod deletion;
mod demo;
mod deploy;
mod door;
mod faults;
mod follow;
mod hung;
mod ingest;
mod integrations;
mod matrix;
mod model;
mod mutant;
mod notify;
mod observed;
mod offline;
mod once;
mod operator;
mod postgres;
mod process;
mod redis;
mod refused;
mod restated;
mod retention;
mod rotation;
mod scratch;
mod sessions;
mod settings;
mod shown;
mod signed;
mod tenant;
mod traces;
mod world;
