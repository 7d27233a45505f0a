//! The whole way of an analysis, on SQLite, with a scripted model and, where installed, a real Prometheus.

mod again;
mod ends;
mod history;
mod honest;
mod live;
mod merged;
mod nearby;
mod questions;
mod replay;
mod reported;
mod storm;
mod times;
mod turns;
mod versions;
mod waiting;
mod world;
