//! Tries a promise for as long as it is told to.

fn main() {}
