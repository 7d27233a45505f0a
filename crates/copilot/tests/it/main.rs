//! The product from outside, and the reference model that it is held against.

mod model;
