//! How large a function's JavaScript heap is, and how large it is where Node.js boots without being told.
//!
//! Any option of V8 that is set as Node.js boots makes it throw away the compiled code of its own modules that it carries, because
//! V8 keeps such code for the very options it was made with. It costs a boot a millisecond or two. So a sandbox that is nobody's yet
//! boots as Node.js does by itself, and a function whose heap is larger than that has sandboxes of its own.

/// The heap's limit, in MiB: a part is left to what is not heap, as AWS leaves it.
pub fn limit_mb(memory_mb: u32) -> u32 {
    memory_mb - memory_mb / 10
}

/// The least heap, in MiB, that Node.js has by itself on a machine with so much memory: V8 takes half of the memory, but not more
/// than 2 GiB, or 4 where there are 15 or more (V8's `Heap::MaxOldGenerationSizeFromPhysicalMemory`); rounding is left room.
pub fn default_mb(machine_mb: u64) -> u32 {
    let most = if machine_mb >= 16 << 10 { 4096 } else { 2048 };
    u32::try_from(machine_mb / 2).map_or(most, |half| half.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_is_left_to_what_is_not_heap() {
        assert_eq!((limit_mb(128), limit_mb(1024), limit_mb(10_240)), (116, 922, 9_216));
    }

    #[test]
    fn a_heap_by_default_grows_with_the_machine() {
        let sizes = [512, 1_024, 4_096, 8_192, 16_383, 16_384, 1 << 40];
        assert_eq!(sizes.map(default_mb), [256, 512, 2_048, 2_048, 2_048, 4_096, 4_096]);
    }
}
