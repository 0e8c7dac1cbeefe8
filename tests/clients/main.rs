//! Client configurations as people have them, in homes that are made for the test.
#![allow(clippy::unwrap_used)]

mod dialects;
mod home;
mod hostile;
mod scopes;
mod secrets;
mod table;
