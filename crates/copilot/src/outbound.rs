//! The one door for requests to addresses that users configured.

/// Sends requests to allowed addresses only.
pub struct Outbound {}
