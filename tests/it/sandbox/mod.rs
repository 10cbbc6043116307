//! Functions run in real sandboxes: bubblewrap, Node.js, the runtime's bootstrap. As root each sandbox has a host user of
//! its own; [`ordinary_user`] runs the tests again as somebody else.

mod answers;
mod ends;
mod jail;
mod leaving;
mod logs;
mod network;
mod ordinary_user;
mod processes;
mod shutdown;
mod stand;
