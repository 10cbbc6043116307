//! Which of the threads that serve this is, if it is one.
//!
//! Each of them has an event loop of its own. A connection stays with its thread, and so does a sandbox for as long as that
//! thread has use for it: a call then wakes no other thread.

use std::cell::Cell;

/// What stands for a thread that does not serve.
pub const NOWHERE: usize = usize::MAX;

thread_local! {
    static HOME: Cell<usize> = const { Cell::new(NOWHERE) };
}

/// The number of the calling thread, from 0 on, or [`NOWHERE`].
pub fn current() -> usize {
    HOME.get()
}

/// Makes the calling thread the one of this number.
pub fn enter(number: usize) {
    HOME.set(number);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thread_has_a_number_of_its_own() {
        enter(3);
        assert_eq!(std::thread::spawn(current).join().unwrap(), NOWHERE);
        assert_eq!(current(), 3);
    }
}
