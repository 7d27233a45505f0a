//! What people do to incidents, through the handlers, on SQLite or on PostgreSQL.

mod anew;
mod finding;
mod hearing;
mod merging;
mod reading;
mod seed;
mod world;
mod writing;
