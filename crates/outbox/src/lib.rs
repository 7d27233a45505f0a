//! Durable events and leased work over SQL, on PostgreSQL and on SQLite.
//!
//! The crate knows streams of numbered events and queues of leased jobs. It does not know what
//! they are about: an owner (the tenant) and a stream (the project) are two UUIDs to it.
//!
//! * [`sql`]: one transaction type over both databases, and the macro that compiles one body for both.
//! * [`time`]: the time column and the clock that is passed in.
//! * [`bulk`]: many rows in one statement.
//! * [`event`]: append inside a transaction, read in order. Numbers have no gap.
//! * [`lease`]: claim by lease with a fencing number, finish only while the fence holds.
//! * [`relay`]: tell events outside, in order and at least once.
//! * [`retention`]: let old rows go, some thousands a transaction.
//! * [`fault`]: which refusals of a database pass by themselves.
//! * [`unsynced`]: the end of a process whose disk did not keep what was written.
//! * [`sabotage`]: faults on purpose in debug builds, for the tests that kill the product.
//! * [`wake`]: a hint that something was committed; losing one costs seconds, never data.

pub mod bulk;
pub mod event;
pub mod fault;
pub mod lease;
pub mod relay;
pub mod retention;
pub mod sabotage;
pub mod sql;
pub mod time;
pub mod unsynced;
pub mod wake;

pub use event::{Event, NewEvent, Stream, StreamHead};
pub use fault::{passes, unstorable};
pub use lease::{Job, NewJob};
pub use relay::Relay;
pub use retention::Old;
pub use sql::{APP_ROLE, Db, Pool, Tx, TxConn};
pub use time::{Clock, Ts};
pub use wake::{Hint, Wake};
