//! What the system is told of this process: which thread goes first where there are more of them than processors, and
//! in what pages memory comes.

/// How far behind the others a thread of the background comes, in steps of nice(2).
#[cfg(target_os = "linux")]
const BEHIND: i32 = 5;

/// Lets this thread come after those that somebody waits for: the one that answers keys and paints.
pub fn give_way() {
    // on Linux it concerns the thread alone; where it is refused, nothing is lost but the order
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(BEHIND);
}

/// Whether memory may come in huge pages. They make a million rows a quarter quicker to sort, but each of them is
/// cleared as a whole when its first byte is written: for what a start touches here and there that takes as long as
/// everything else up to the first frame. Programs that are started meanwhile have what this one has.
pub fn huge_pages(allowed: bool) {
    // where it is refused, nothing is lost but time
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(!allowed);
    #[cfg(not(target_os = "linux"))]
    let _ = allowed;
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_thread_that_asks_comes_behind() {
        let before = rustix::process::nice(0).expect("known");
        let other = std::thread::spawn(|| {
            give_way();
            rustix::process::nice(0).expect("known")
        });
        assert_eq!(other.join().expect("ends"), (before + BEHIND).min(19));
        assert_eq!(rustix::process::nice(0).expect("known"), before);
    }
}
