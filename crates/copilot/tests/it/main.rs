//! The product from outside, and the reference model that it is held against.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod contract;
mod crash;
mod demo;
mod ingest;
mod model;
mod process;
mod world;
