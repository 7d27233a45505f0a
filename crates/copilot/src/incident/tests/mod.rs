//! What people do to incidents, through the handlers, on SQLite or on PostgreSQL.

mod anew;
mod finding;
mod hearing;
mod heartbeats;
mod merging;
mod plans;
mod reading;
mod seed;
mod sending;
mod snoozing;
mod sweeping;
mod world;
mod writing;
