//! Programs that try the product from outside, as its users, its senders and its accidents do.

pub mod faults;
