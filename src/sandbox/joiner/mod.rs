//! Acting on a sandbox from outside: a process that joins its namespaces, does a few system calls there and answers.
//!
//! Who joins a user namespace must have one thread only, and the gateway has many. So a helper of one thread, the *joiner*,
//! runs beside it: the gateway's own program under a hidden command ([`serve`]), started when it is first needed
//! ([`Joiner`]), spoken to over a socket that keeps messages apart ([`wire`]). For each request the joiner forks a child,
//! which is cheap since its memory is small; the child joins what the request's operations need, does them in order, answers,
//! and ends. So no request stands in another's way, and whatever a child has joined ends with it.
//!
//! A new operation is a file in [`operations`] and a line in its list.

mod child;
mod client;
mod inside;
mod namespaces;
pub mod operations;
mod server;
mod system;
pub mod wire;

pub use client::{Done, JoinError, Joiner};
pub use inside::Inside;
pub use operations::Operation;
pub use server::{ServeError, serve};
pub use wire::Failure;
