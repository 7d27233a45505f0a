//! What PostgreSQL adds: a second barrier between tenants, and refusals at start-up.

mod barrier;
mod clocks;
mod cluster;
mod outages;
mod replicas;
mod start;
