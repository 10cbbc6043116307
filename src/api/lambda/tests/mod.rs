//! Every operation through its decoding, its questions to policy and its run.

mod creating;
mod reading;
mod tagging;
mod updating;
