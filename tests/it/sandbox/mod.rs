//! Functions run in real sandboxes: bubblewrap, Node.js, the runtime's bootstrap. As root each sandbox has a host user of
//! its own; [`ordinary_user`] runs the tests again as somebody else.

mod answers;
mod bare;
mod binding;
mod cancelling;
mod cold_starts;
mod deadlines;
mod devouring;
mod ends;
mod escapes;
mod exhaustion;
mod freezing;
mod groups;
mod hostile;
mod inside;
mod jail;
mod joiner;
mod leaving;
mod logs;
mod lying;
mod memory;
mod network;
mod ordinary_user;
mod prewarming;
mod processes;
mod resting;
mod shutdown;
mod signals;
mod soak;
mod soak_cancels;
mod stand;
mod thawing;
mod workload;
