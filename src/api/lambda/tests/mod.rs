//! Every operation through its decoding, its questions to policy and its run.

mod cancelling;
mod concurrency;
mod creating;
mod permissions;
mod publishing;
mod reading;
mod tagging;
mod updating;
