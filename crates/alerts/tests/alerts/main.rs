//! The crate seen from outside: real and hand-made bodies in, alerts out.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bad_times;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod fingerprints;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod properties;
