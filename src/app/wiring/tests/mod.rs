//! Every operation of the route table, by role: through the real server, from outside.

mod requests;
mod roles;
mod sessions;
mod stand;
mod users;
