//! What people do to incidents, through the handlers, on SQLite or on PostgreSQL.

mod hearing;
mod merging;
mod reading;
mod world;
mod writing;
