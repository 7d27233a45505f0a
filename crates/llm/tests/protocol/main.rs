//! The protocol, played against a stub server that keeps a journal.

#[cfg(test)]
mod addresses;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod outcomes;
#[cfg(test)]
mod retries;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod stub;
#[cfg(test)]
mod wire;
