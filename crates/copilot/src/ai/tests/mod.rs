//! The whole way of an analysis, on SQLite, with a scripted model and, where installed, a real Prometheus.

mod ends;
mod live;
mod world;
