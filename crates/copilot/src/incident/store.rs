//! All SQL of incidents.
