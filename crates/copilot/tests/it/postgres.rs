//! What PostgreSQL adds: a second barrier between tenants, refusals at start-up, and webhooks that wait while it is away.

mod barrier;
mod clocks;
pub mod cluster;
mod outages;
mod replicas;
mod spool;
mod spool_edges;
mod start;
mod statistics;
